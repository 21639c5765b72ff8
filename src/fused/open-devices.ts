import fs from 'node:fs';
import path from 'node:path';
import { SUPERBLOCK_LENGTH } from '../famfs/device/mapped-device.ts';
import type { MappedMemory } from '../famfs/device/pool-memory.ts';
import { Superblock, superblockProblem } from '../famfs/format/superblock.ts';
import { openMemory, sourceOf } from '../famfs/pool/pool-source.ts';

/** What is looked at: the beginning of the superblock region, and of the log behind it. */
const LOOKED_AT = [0, SUPERBLOCK_LENGTH].map((offset) => ({ offset, length: 4096 }));

/** A device that stays open, and which file it was when it was opened. */
interface Kept {
  readonly memory: MappedMemory;
  readonly file: string;
}

/**
 * The devices of a host, for looks at their superblocks and log headers. Those that have a famfs stay open: to map a
 * device anew for each look makes the JavaScript engine collect all garbage, since it takes the whole mapping for
 * memory of this process. That keeps nobody from formatting, replacing or removing a device; the next look sees it.
 */
export class OpenDevices {
  readonly #kept = new Map<string, Kept>();

  /** Looks at a device, by its path. Throws FamfsError as openMemory does, and what `look` throws. */
  look<Result>(device: string, look: (memory: MappedMemory) => Result): Result {
    const key = path.resolve(device);
    const memory = this.#memoryOf(key);
    try {
      return look(memory);
    } finally {
      if (!hasSuperblock(memory)) this.#close(key);
    }
  }

  /** Closes all but these. */
  retain(devices: Iterable<string>): void {
    const retained = new Set([...devices].map((device) => path.resolve(device)));
    for (const device of this.#kept.keys()) if (!retained.has(device)) this.#close(device);
  }

  #memoryOf(device: string): MappedMemory {
    const file = fileAt(device);
    const kept = this.#kept.get(device);
    if (kept?.file === file && LOOKED_AT.every(({ offset, length }) => kept.memory.isReadable(offset, length))) return kept.memory;
    this.#close(device);
    const memory = openMemory(sourceOf(device), { writable: false, lock: 'none' });
    this.#kept.set(device, { memory, file });
    return memory;
  }

  #close(device: string): void {
    this.#kept.get(device)?.memory.close();
    this.#kept.delete(device);
  }
}

/** What tells one file, or one state of a file, from another: a mapping of one that was cut short ends who reads it. */
function fileAt(device: string): string {
  const stat = fs.statSync(device, { throwIfNoEntry: false });
  return stat === undefined ? '' : [stat.dev, stat.ino, stat.rdev, stat.size].join();
}

function hasSuperblock({ superblock }: MappedMemory): boolean {
  return superblockProblem(Buffer.from(superblock.bytes.subarray(0, Superblock.length))) === undefined;
}
