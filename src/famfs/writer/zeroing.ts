import type { DaxDevice } from '../device/device.ts';
import { FamfsError } from '../errors.ts';
import type { Claim } from './claim/claim.ts';

/**
 * Zeroes memory in another thread, in steps between which the claim is read. A claim that is closed
 * says that its writer stores nothing more, so it is closed through here.
 */
export class Zeroing {
  readonly #device: DaxDevice;
  readonly #claim: Claim;
  #busy = false;
  #closing = false;

  constructor(device: DaxDevice, claim: Claim) {
    this.#device = device;
    this.#claim = claim;
  }

  /** Another thread is at work at this moment: what the claim names must stay named. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Zeroes these ranges, `step` bytes at a time, and yields the bytes done after each. Throws FamfsError CLAIM_LOST. */
  async *run(extents: readonly { start: number; end: number }[], step: number): AsyncGenerator<number, void, void> {
    let done = 0;
    for (const { start, end } of extents) {
      const limit = Math.min(end, this.#device.size); // a last unit may reach past it
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

  async #step(offset: number, length: number): Promise<void> {
    const device = this.#device;
    this.#claim.mustRule();
    this.#busy = true;
    try {
      await device.zeroAside(offset, length);
    } finally {
      this.#busy = false;
      if (device.closed) this.#claim.leave();
      else if (this.#closing) this.#claim.close();
    }
    if (device.closed) throw new FamfsError('CLAIM_LOST', `${device.path} was closed while its memory was zeroed`);
    this.#claim.mustRule();
  }
}
