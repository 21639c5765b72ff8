/** Changes to a piece of memory that can be taken back: a case of a fuzz leaves nothing behind. */
export class Patch {
  readonly bytes: Buffer;
  readonly #undo: { at: number; old: Buffer }[] = [];

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Returns the bytes [at, at + length), which may be written to until `restore`. */
  open(at: number, length: number): Buffer {
    const view = this.bytes.subarray(at, at + length);
    this.#undo.push({ at, old: Buffer.from(view) });
    return view;
  }

  u32(at: number, value: number): void {
    this.open(at, 4).writeUInt32LE(value >>> 0);
  }

  u64(at: number, value: bigint): void {
    this.open(at, 8).writeBigUInt64LE(BigInt.asUintN(64, value));
  }

  restore(): void {
    for (let change = this.#undo.pop(); change !== undefined; change = this.#undo.pop()) {
      change.old.copy(this.bytes, change.at);
    }
  }
}
