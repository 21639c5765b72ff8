import type { Run } from '../alloc/free-runs.ts';
import { deviceEnd, type PoolMemory } from '../device/pool-memory.ts';
import { FamfsError } from '../errors.ts';
import type { Claim } from './claim/claim.ts';

/**
 * Zeroes memory in another thread, in steps; the claim is read before and after each. `closed` in a claim
 * promises that its writer stores nothing more. So the claim is closed here, when no step is under way.
 */
export class Zeroing {
  readonly #memory: PoolMemory;
  readonly #claim: Claim;
  #busy = false;
  #closing = false;

  constructor(memory: PoolMemory, claim: Claim) {
    this.#memory = memory;
    this.#claim = claim;
  }

  /** A step is under way in another thread: what the claim names must stay named until it has ended. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Zeroes these ranges, `step` bytes at a time, and yields the bytes done after each. Throws FamfsError CLAIM_LOST. */
  async *run(extents: readonly Run[], step: number): AsyncGenerator<number, void, void> {
    let done = 0;
    for (const { start, end } of extents) {
      const limit = Math.min(end, deviceEnd(this.#memory, start)); // a last unit may reach past it
      for (let at = start; at < limit; at += step) {
        const length = Math.min(step, limit - at);
        await this.#step(at, length);
        this.#claim.storeScrubbed(done += length);
        yield done;
      }
    }
  }

  /** Closes the claim: after the step that is under way, if there is one. */
  close(): void {
    this.#closing = true;
    if (this.#busy) this.#claim.fail();
    else this.#claim.close();
  }

  async #step(address: number, length: number): Promise<void> {
    const memory = this.#memory;
    this.#claim.mustRule();
    this.#busy = true;
    try {
      await memory.zeroAside(address, length);
    } finally {
      this.#busy = false;
      if (memory.closed) this.#claim.leave();
      else if (this.#closing) this.#claim.close();
    }
    if (memory.closed) throw new FamfsError('CLAIM_LOST', `${memory.path} was closed while its memory was zeroed`);
    this.#claim.mustRule();
  }
}
