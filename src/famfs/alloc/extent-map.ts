/** A range of a pool's memory and the entry it belongs to. */
export interface OwnedRange {
  readonly start: number;
  readonly end: number;
  readonly owner: number;
}

const BLOCK = 2048;

interface Block {
  length: number;
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  readonly owners: Uint32Array;
}

/**
 * Which entry owns which memory: disjoint ranges [start, end) of pool addresses, in order. Its cost follows
 * the number of ranges and never the size of the device, so that no log, however hostile, makes
 * replay slow. Ranges are kept in blocks of up to 2048; adding in ascending order is one store.
 */
export class ExtentMap {
  #blocks: Block[] = [];
  #bytes = 0;
  /** End of the last range. Most often the next one is added behind it. */
  #end = 0;
  #changes = 0;

  /** Counts ranges that were added or removed: who keeps what follows from them sees whether it still does. */
  get changes(): number {
    return this.#changes;
  }

  /** Bytes owned by anyone. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Behind the last range; 0 when there is none. */
  get end(): number {
    return this.#end;
  }

  /** The first range that meets [start, end), or undefined. */
  overlapping(start: number, end: number): OwnedRange | undefined {
    if (start >= this.#end) return undefined;
    const block = this.#blocks[this.#blockOf(start)];
    const k = firstEndingAfter(block, start);
    return block.starts[k] < end ? { start: block.starts[k], end: block.ends[k], owner: block.owners[k] } : undefined;
  }

  /** Bytes of [start, end) that are owned by anyone. */
  bytesWithin(start: number, end: number): number {
    if (start >= this.#end) return 0;
    if (start <= this.#blocks[0].starts[0] && end >= this.#end) return this.#bytes;
    let bytes = 0;
    for (let index = this.#blockOf(start); index < this.#blocks.length; index++) {
      const { length, starts, ends } = this.#blocks[index];
      for (let k = firstEndingAfter(this.#blocks[index], start); k < length; k++) {
        if (starts[k] >= end) return bytes;
        bytes += Math.min(ends[k], end) - Math.max(starts[k], start);
      }
    }
    return bytes;
  }

  /** Adds a range that meets no other. */
  add(start: number, end: number, owner: number): void {
    this.#changes++;
    this.#bytes += end - start;
    if (start >= this.#end) {
      const last = this.#blocks[this.#blocks.length - 1];
      const target = last !== undefined && last.length < BLOCK ? last : this.#newBlock(this.#blocks.length);
      set(target, target.length++, start, end, owner);
      this.#end = end;
      return;
    }
    let blockIndex = this.#blockOf(start);
    if (this.#blocks[blockIndex].length === BLOCK) {
      this.#split(blockIndex);
      blockIndex = this.#blockOf(start);
    }
    const block = this.#blocks[blockIndex];
    const k = firstEndingAfter(block, start);
    block.starts.copyWithin(k + 1, k, block.length);
    block.ends.copyWithin(k + 1, k, block.length);
    block.owners.copyWithin(k + 1, k, block.length);
    block.length++;
    set(block, k, start, end, owner);
  }

  /** Removes the range that begins at `start`, if `owner` owns it. */
  remove(start: number, owner: number): void {
    if (start >= this.#end) return;
    const blockIndex = this.#blockOf(start);
    const block = this.#blocks[blockIndex];
    const k = firstEndingAfter(block, start);
    if (block.starts[k] !== start || block.owners[k] !== owner) return;
    this.#changes++;
    this.#bytes -= block.ends[k] - start;
    block.starts.copyWithin(k, k + 1, block.length);
    block.ends.copyWithin(k, k + 1, block.length);
    block.owners.copyWithin(k, k + 1, block.length);
    if (--block.length === 0) this.#blocks.splice(blockIndex, 1);
    const last = this.#blocks.at(-1);
    this.#end = last === undefined ? 0 : last.ends[last.length - 1];
  }

  /** All ranges that end behind `from`, in ascending order. */
  *ranges(from = 0): Generator<OwnedRange> {
    if (from >= this.#end) return;
    for (let index = this.#blockOf(from); index < this.#blocks.length; index++) {
      const block = this.#blocks[index];
      for (let k = block.ends[0] > from ? 0 : firstEndingAfter(block, from); k < block.length; k++) {
        yield { start: block.starts[k], end: block.ends[k], owner: block.owners[k] };
      }
    }
  }

  /** The first block whose last range ends after `start`; there is one. */
  #blockOf(start: number): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const block = this.#blocks[middle];
      if (block.ends[block.length - 1] > start) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #newBlock(at: number): Block {
    const block = { length: 0, starts: new Float64Array(BLOCK), ends: new Float64Array(BLOCK), owners: new Uint32Array(BLOCK) };
    this.#blocks.splice(at, 0, block);
    return block;
  }

  #split(index: number): void {
    const full = this.#blocks[index];
    const upper = this.#newBlock(index + 1);
    const half = BLOCK / 2;
    upper.starts.set(full.starts.subarray(half));
    upper.ends.set(full.ends.subarray(half));
    upper.owners.set(full.owners.subarray(half));
    upper.length = BLOCK - half;
    full.length = half;
  }
}

/** Index of the first range that ends after `start`; the block's last one does. */
function firstEndingAfter(block: Block, start: number): number {
  let low = 0;
  let high = block.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (block.ends[middle] > start) high = middle;
    else low = middle + 1;
  }
  return low;
}

function set(block: Block, k: number, start: number, end: number, owner: number): void {
  block.starts[k] = start;
  block.ends[k] = end;
  block.owners[k] = owner;
}
