import fs from 'node:fs';
import { mapShared, unlock, unmap, viewOf } from '../../device/libc.ts';
import { FamfsError } from '../../errors.ts';
import { lockFile, openTable, removeTable } from './overrides-file.ts';
import { Header, Override, OverrideField, Slot, TABLE } from './overrides-layout.ts';
import { type VolumeOf, VolumeShares } from './volume-shares.ts';

export { Override, OverrideField } from './overrides-layout.ts';
export type { VolumeOf } from './volume-shares.ts';

/** What another thread of the same process needs to use the table. */
export interface OverridesHandle {
  readonly path: string;
  readonly address: bigint;
}

/** What a child or a host service that dies leaves in a slot is repaired by whoever writes next. */
const READ_TRIES = 10_000;

/**
 * Modes, owners and times that were set on this host, and the mount groups of its volumes: a table
 * in a file on tmpfs, mapped by every process that serves or manages the pool here. It is written
 * before a SETATTR is answered, outlives its processes, and is worth nothing after a reboot.
 *
 * Open addressing by node id. Writers take the file's lock, which ends with its holder; readers take
 * none: each slot has a sequence word, odd while the slot is being changed.
 */
export class Overrides {
  readonly path: string;
  readonly #fd: number;
  readonly #address: bigint;
  readonly #words: Uint32Array;
  readonly #owner: boolean;
  readonly #shares: VolumeShares;

  private constructor(file: string, fd: number, address: bigint, owner: boolean) {
    this.path = file;
    this.#fd = fd;
    this.#address = address;
    this.#words = new Uint32Array(viewOf(address, TABLE.length));
    this.#owner = owner;
    this.#shares = new VolumeShares(this.#words);
  }

  /**
   * Opens a pool's table below a host directory, making it, or making it anew after a reboot. Nodes are those of one
   * life of the pool's log (see PoolIdentity), so each has a table of its own. Throws FamfsError NO_SPACE where the
   * directory has no room for it.
   */
  static open(hostDirectory: string, poolUuid: string, logLife: string): Overrides {
    const { file, fd } = openTable(hostDirectory, poolUuid, logLife);
    try {
      return new Overrides(file, fd, mapShared(fd, TABLE.length, true, file), true);
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
  }

  /** Removes a table, for a log life that is over. */
  static remove(hostDirectory: string, poolUuid: string, logLife: string): void {
    removeTable(hostDirectory, poolUuid, logLife);
  }

  /** The same table in another thread. It opens the file again: a lock is held by an open file. */
  static attach(handle: OverridesHandle): Overrides {
    return new Overrides(handle.path, fs.openSync(handle.path, 'r+'), handle.address, false);
  }

  handle(): OverridesHandle {
    return { path: this.path, address: this.#address };
  }

  /** Unmaps the table, where it was opened; threads that attached only close their file. */
  close(): void {
    fs.closeSync(this.#fd);
    if (this.#owner) unmap(this.#address, TABLE.length);
  }

  /** Changes whenever any slot does. */
  generation(): number {
    return Atomics.load(this.#words, Header.generation);
  }

  /** For a serving process: the kernel has been notified of every change up to a generation. */
  setNotified(generation: number): void {
    Atomics.store(this.#words, Header.notified, generation);
  }

  /** Whether the kernel has been notified of all changes up to a generation. */
  isNotified(generation: number): boolean {
    return ((Atomics.load(this.#words, Header.notified) - generation) | 0) >= 0;
  }

  /** Whether there is any override at all. */
  isUsed(): boolean {
    return Atomics.load(this.#words, Header.used) !== 0;
  }

  /** Whether any directory has a mount group. */
  hasGroups(): boolean {
    return Atomics.load(this.#words, Header.groups) !== 0;
  }

  /** When the table was made, in seconds since 1970: the times of files whose times nobody has set. */
  createdSeconds(): number {
    return this.#words[Header.born] + this.#words[Header.born + 1] * 0x1_0000_0000;
  }

  /** Copies a node's override out; false when it has none. Takes no lock, allocates nothing. */
  read(node: number, into: Override): boolean {
    for (let tries = 0; tries < READ_TRIES; tries++) {
      const slot = this.#find(node);
      if (slot < 0) return false;
      const sequence = Atomics.load(this.#words, slot + Slot.sequence);
      if ((sequence & 1) !== 0) continue;
      into.load(this.#words, slot);
      const unchanged = Atomics.load(this.#words, slot + Slot.node) === node &&
        Atomics.load(this.#words, slot + Slot.sequence) === sequence;
      if (unchanged) return into.fields !== 0;
    }
    return false; // its writer died half-way: the change was not answered to anybody
  }

  /**
   * Changes a node's override; `apply` gets what is there now, `fields` 0 when nothing is. False when there is no room
   * for another one: for the volume that `volumeOf` says the node belongs to, or at all.
   */
  change(node: number, apply: (override: Override) => void, volumeOf: VolumeOf): boolean {
    return this.#locked(() => this.#change(node, apply, volumeOf));
  }

  /**
   * Sets the mount group of a directory, or lifts it. Throws FamfsError EXISTS when another group
   * is set, NO_SPACE when the table is full.
   */
  setGroup(directory: number, gid: number | undefined): void {
    this.#locked(() => {
      const present = new Override();
      const had = this.read(directory, present) && present.has(OverrideField.group) ? present.group : undefined;
      if (had === gid) return;
      if (had !== undefined && gid !== undefined) {
        throw new FamfsError('EXISTS', `group ${had} is set already; ${gid} would change it for everybody who uses it now`);
      }
      const done = this.#change(directory, (override) => {
        override.fields &= ~OverrideField.group;
        if (gid === undefined) return;
        override.fields |= OverrideField.group;
        override.group = gid;
      });
      if (!done) throw new FamfsError('NO_SPACE', `${this.path} is full`);
      Atomics.add(this.#words, Header.groups, gid === undefined ? -1 : 1);
    });
  }

  /** Gives the slots of removed nodes back. */
  forget(nodes: readonly number[]): void {
    if (!nodes.some((node) => this.#find(node) >= 0)) return;
    this.#locked(() => {
      const present = new Override();
      for (const node of nodes) {
        const slot = this.#find(node);
        if (slot < 0) continue;
        present.load(this.#words, slot);
        if (present.has(OverrideField.group)) Atomics.sub(this.#words, Header.groups, 1);
        present.fields = 0;
        this.#store(slot, present);
        this.#release(slot);
      }
    });
  }

  /** Calls back for each slot in use whose sequence differs from what `seen` remembers. */
  changesSince(seen: Map<number, number>, changed: (node: number) => void): void {
    for (let slot = TABLE.first; slot < TABLE.words; slot += Slot.words) {
      const node = Atomics.load(this.#words, slot + Slot.node);
      if (node === 0 || node === TABLE.tombstone) continue;
      const sequence = Atomics.load(this.#words, slot + Slot.sequence);
      if (seen.get(node) === sequence) continue;
      seen.set(node, sequence);
      changed(node);
    }
  }

  #change(node: number, apply: (override: Override) => void, volumeOf?: VolumeOf): boolean {
    let slot = this.#find(node);
    const override = new Override();
    if (slot >= 0) override.load(this.#words, slot);
    else slot = this.#takeSlot(node, volumeOf);
    if (slot < 0) return false;
    apply(override);
    this.#store(slot, override);
    return true;
  }

  #store(slot: number, override: Override): void {
    const sequence = Atomics.or(this.#words, slot + Slot.sequence, 1) | 1;
    override.store(this.#words, slot);
    Atomics.store(this.#words, slot + Slot.sequence, sequence + 1);
    Atomics.add(this.#words, Header.generation, 1);
  }

  /** The slot of a node, as a word index, or -1. */
  #find(node: number): number {
    for (let probe = 0, at = TABLE.hash(node); probe < TABLE.slots; probe++, at = (at + 1) % TABLE.slots) {
      const slot = TABLE.first + at * Slot.words;
      const there = Atomics.load(this.#words, slot + Slot.node);
      if (there === node) return slot;
      if (there === 0) return -1;
    }
    return -1;
  }

  /** Takes a slot for a node that has none, still without fields; -1 when there is no room for it. */
  #takeSlot(node: number, volumeOf?: VolumeOf): number {
    if (node > TABLE.lastNode || !this.#hasRoom(node, volumeOf)) return -1;
    for (let at = TABLE.hash(node); ; at = (at + 1) % TABLE.slots) {
      const slot = TABLE.first + at * Slot.words;
      const there = Atomics.load(this.#words, slot + Slot.node);
      if (there !== 0 && there !== TABLE.tombstone) continue;
      this.#words.fill(0, slot + Slot.fields, slot + Slot.words);
      if (Atomics.compareExchange(this.#words, slot + Slot.node, there, node) !== there) continue;
      Atomics.add(this.#words, Header.used, 1);
      return slot;
    }
  }

  /**
   * Whether there is room for another node: for a volume, while it has less than an eighth of what is free. So no
   * volume can take all of it, and whoever comes last has room, too, and so have mount groups, for which no volume is
   * asked. (Dynamic thresholds, as Choudhury and Hahne have them for the buffers of switches.)
   */
  #hasRoom(node: number, volumeOf?: VolumeOf): boolean {
    const used = Atomics.load(this.#words, Header.used);
    const free = TABLE.mostUsed - used;
    if (volumeOf === undefined) return free > 0;
    const most = free / TABLE.share;
    return used < most || this.#shares.isBelow(volumeOf(node), most, volumeOf);
  }

  /** Empties a slot. Tombstones at the end of a chain become free, so that chains stay short. */
  #release(slot: number): void {
    Atomics.store(this.#words, slot + Slot.node, TABLE.tombstone);
    Atomics.sub(this.#words, Header.used, 1);
    Atomics.add(this.#words, Header.released, 1);
    const next = (at: number, by: number) => TABLE.first +
      (((at - TABLE.first) / Slot.words + by + TABLE.slots) % TABLE.slots) * Slot.words;
    let at = slot;
    while (this.#words[at + Slot.node] === TABLE.tombstone && this.#words[next(at, 1) + Slot.node] === 0) {
      Atomics.store(this.#words, at + Slot.node, 0);
      at = next(at, -1);
    }
  }

  #locked<T>(work: () => T): T {
    lockFile(this.#fd);
    try {
      return work();
    } finally {
      unlock(this.#fd);
    }
  }
}
