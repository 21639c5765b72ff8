/**
 * Keeps the message about each of many things from changing too often: the room in a pool changes with
 * every volume, and would otherwise make an event for each claim that waits for it.
 */
export class MessageThrottle {
  readonly #pauseMs: number;
  readonly #clock: () => number;
  #last = new Map<string, { readonly text: string; readonly at: number }>();
  #lastRound = new Map<string, { readonly text: string; readonly at: number }>();

  /** `pauseMs`: how long a message stands at least. */
  constructor(pauseMs: number, clock: () => number = () => performance.now()) {
    this.#pauseMs = pauseMs;
    this.#clock = clock;
  }

  /** Begins a round: things that the last one did not name are forgotten. */
  beginRound(): void {
    this.#lastRound = this.#last;
    this.#last = new Map();
  }

  /** The message about a thing now: `text`, or the last one where that has not stood for long enough. */
  throttle(thing: string, text: string): string {
    const now = this.#clock();
    const before = this.#lastRound.get(thing);
    const last = before === undefined || (before.text !== text && now - before.at >= this.#pauseMs) ? { text, at: now } : before;
    this.#last.set(thing, last);
    return last.text;
  }
}
