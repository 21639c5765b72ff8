import { refuse } from './errors.ts';

/**
 * Keeps calls about one thing apart. A second call does not wait, it is told ABORTED, as the CSI
 * specification asks: its caller repeats it later, when the first one has settled what there is.
 */
export class Locks {
  readonly #busy = new Set<string>();

  /** Runs `work` while nothing else that names one of `keys` runs. */
  async run<Result>(keys: readonly string[], work: () => Promise<Result> | Result): Promise<Result> {
    const mine = new Set(keys);
    for (const key of mine) {
      if (this.#busy.has(key)) throw refuse.aborted(`another call for ${JSON.stringify(key)} is under way: repeat this one later`);
    }
    for (const key of mine) this.#busy.add(key);
    try {
      return await work();
    } finally {
      for (const key of mine) this.#busy.delete(key);
    }
  }
}
