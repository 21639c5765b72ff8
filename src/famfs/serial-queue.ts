/** Runs pieces of work about the same thing one after the other, in the order in which they were asked for. */
export class SerialQueue {
  /** By key, the end of the last piece of work; never rejects. */
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `work` when all work with this key that was asked for before has ended, well or not. */
  async run<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const result = before.then(work);
    const ended = result.catch(() => undefined);
    this.#last.set(key, ended);
    try {
      return await result;
    } finally {
      if (this.#last.get(key) === ended) this.#last.delete(key);
    }
  }
}
