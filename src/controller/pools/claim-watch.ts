import type { PoolMemory } from '../../famfs/device/pool-memory.ts';
import { decodeSuperblock, Superblock, superblockProblem } from '../../famfs/format/superblock.ts';
import { uptimeMs } from '../../famfs/host.ts';
import { type ClaimRecord, ClaimRing } from '../../famfs/log/claim-ring.ts';
import { openMemory, sourceOf } from '../../famfs/pool/pool-source.ts';

const LOOK_MS = 500;

/**
 * Watches who rules a pool while this process only waits for the lease, so that a rival that has
 * died counts as silent since then, and not since the lease was had. Reads only.
 */
export class ClaimWatch {
  readonly #path: string;
  readonly #timer: NodeJS.Timeout;
  #memory: PoolMemory | undefined;
  #seen: { readonly record: ClaimRecord; readonly since: number } | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
    this.#look();
  }

  /** Since when this very record has stood as it stands now, in milliseconds of `uptimeMs`, as far as was seen. */
  silentSince(rival: ClaimRecord): number | undefined {
    return this.#seen !== undefined && isSame(this.#seen.record, rival) ? this.#seen.since : undefined;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#memory?.close();
    this.#memory = undefined;
  }

  #look(): void {
    try {
      this.#memory ??= openMemory(sourceOf(this.#path), { writable: false });
      const { superblock } = this.#memory;
      const bytes = Buffer.from(superblock.bytes.subarray(0, Superblock.length));
      if (superblockProblem(bytes) !== undefined) throw new Error('no pool');
      const record = new ClaimRing(superblock, decodeSuperblock(bytes).uuid).ruling();
      if (record === undefined) this.#seen = undefined;
      else if (this.#seen === undefined || !isSame(this.#seen.record, record)) this.#seen = { record, since: uptimeMs() };
    } catch {
      // No pool yet, or no longer. An open device would keep others from formatting it.
      this.#memory?.close();
      this.#memory = undefined;
      this.#seen = undefined;
    }
  }
}

function isSame(a: ClaimRecord, b: ClaimRecord): boolean {
  return a.head.uuid === b.head.uuid && a.head.epoch === b.head.epoch && a.head.holder === b.head.holder && a.heartbeat === b.heartbeat;
}
