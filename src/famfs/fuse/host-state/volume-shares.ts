import { Header, Slot, TABLE } from './overrides-layout.ts';

/** The volume that a node belongs to: its directory at the pool's root. */
export type VolumeOf = (node: number) => number;

/**
 * How much of the override table each volume has. The table does not say, so they are counted, which takes
 * milliseconds; and counted again only when what was taken and given back since could change the answer.
 */
export class VolumeShares {
  readonly #words: Uint32Array;
  #counts = new Map<number, number>();
  #used = 0;
  #released = 0;

  /** Of the table with these words. */
  constructor(words: Uint32Array) {
    this.#words = words;
  }

  /** Whether a volume has less than so many slots. To be asked with the table's lock held. */
  isBelow(volume: number, most: number, volumeOf: VolumeOf): boolean {
    const { least, greatest } = this.#bounds(volume);
    if (greatest < most) return true;
    if (least >= most) return false;
    this.#count(volumeOf);
    return (this.#counts.get(volume) ?? 0) < most;
  }

  /** Between which numbers a volume's slots are, by the last count. */
  #bounds(volume: number): { least: number; greatest: number } {
    const counted = this.#counts.get(volume) ?? 0;
    const released = (Atomics.load(this.#words, Header.released) - this.#released) >>> 0;
    const taken = Atomics.load(this.#words, Header.used) - this.#used + released;
    return { least: counted - released, greatest: counted + taken };
  }

  #count(volumeOf: VolumeOf): void {
    this.#counts = new Map();
    this.#used = Atomics.load(this.#words, Header.used);
    this.#released = Atomics.load(this.#words, Header.released);
    for (let slot = TABLE.first; slot < TABLE.words; slot += Slot.words) {
      const node = this.#words[slot + Slot.node];
      if (node === 0 || node === TABLE.tombstone) continue;
      const volume = volumeOf(node);
      this.#counts.set(volume, (this.#counts.get(volume) ?? 0) + 1);
    }
  }
}
