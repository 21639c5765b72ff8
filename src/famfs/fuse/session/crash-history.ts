import type { BadRange } from '../host-state/bad-ranges.ts';
import type { CurrentRequest } from '../host-state/counters.ts';
import { Opcode } from '../protocol/abi.ts';
import type { Doubts } from '../serving/messages.ts';

const PAGE = 4096;

/** For the supervisor of a session: which requests were the end of its children. */
export class Deaths {
  readonly #bad: BadRange[];
  readonly #refused: string[] = [];
  /** What was under way when the last child died. */
  #suspects = new Set<string>();

  /** `bad`: what earlier supervisors of the session have learnt. */
  constructor(bad: readonly BadRange[] = []) {
    this.#bad = [...bad];
  }

  get bad(): readonly BadRange[] {
    return this.#bad;
  }

  /** What the next child has to know. */
  get doubts(): Doubts {
    return { bad: this.#bad, refused: this.#refused, careful: this.#suspects.size > 0 };
  }

  /**
   * A child has died of itself with these requests under way. Answers those that were under way at the
   * death before, too: since children are careful after a death, it is the one that kills them.
   */
  add(requests: readonly CurrentRequest[]): CurrentRequest[] {
    const guilty = requests.filter(({ unique }) => this.#suspects.has(unique));
    for (const { unique, opcode, node, offset, length } of guilty) {
      this.#refused.push(unique);
      if (opcode !== Opcode.Read && opcode !== Opcode.Write) continue;
      const start = offset - (offset % PAGE);
      this.#bad.push({ node, offset: start, length: Math.ceil((offset + length - start) / PAGE) * PAGE });
    }
    this.#suspects = new Set(requests.map(({ unique }) => unique).filter((unique) => !this.#refused.includes(unique)));
    return guilty;
  }
}
