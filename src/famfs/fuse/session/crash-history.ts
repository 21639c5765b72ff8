import type { BadRange } from '../host-state/bad-ranges.ts';
import type { CurrentRequest } from '../host-state/counters.ts';
import { Opcode } from '../protocol/abi.ts';
import type { CrashFindings } from '../serving/messages.ts';

const PAGE = 4096;

/**
 * For the supervisor of a session: which requests its children have died of. A request that was under
 * way at one death is a suspect. One that was under way at two deaths in a row is guilty: it is answered
 * EIO, and of a READ or WRITE the pages it touched are left alone from then on.
 */
export class CrashHistory {
  readonly #bad: BadRange[];
  readonly #refused: string[] = [];
  /** What was under way when the last child died. */
  #suspects = new Set<string>();

  /** `bad`: what earlier supervisors of the session have found. */
  constructor(bad: readonly BadRange[] = []) {
    this.#bad = [...bad];
  }

  get bad(): readonly BadRange[] {
    return this.#bad;
  }

  /** What the next child has to know. */
  get findings(): CrashFindings {
    return { bad: this.#bad, refused: this.#refused, careful: this.#suspects.size > 0 };
  }

  /**
   * A child has died of itself with these requests under way. Answers the guilty ones. That is sound
   * because a child serves one request at a time after a death: at the second death, there is one.
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
