/**
 * Keeps what is said of each of many things from changing too often: the room in a pool changes with
 * every volume, and would otherwise make an event for each claim that waits for it.
 */
export class Restraint {
  readonly #pauseMs: number;
  readonly #clock: () => number;
  #said = new Map<string, { readonly text: string; readonly at: number }>();
  #saidBefore = new Map<string, { readonly text: string; readonly at: number }>();

  constructor(pauseMs: number, clock: () => number = () => performance.now()) {
    this.#pauseMs = pauseMs;
    this.#clock = clock;
  }

  /** Begins a round: what was not spoken of in the last one is forgotten. */
  begin(): void {
    this.#saidBefore = this.#said;
    this.#said = new Map();
  }

  /** What to say of a thing now: `text`, or what was said last if that was a moment ago. */
  moderate(thing: string, text: string): string {
    const now = this.#clock();
    const before = this.#saidBefore.get(thing);
    const said = before === undefined || (before.text !== text && now - before.at >= this.#pauseMs) ? { text, at: now } : before;
    this.#said.set(thing, said);
    return said.text;
  }
}
