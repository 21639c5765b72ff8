import { InHeader, OutHeader } from './abi.ts';

/** What the largest READDIR reply may take; READ data does not pass through the reply buffer. */
const REPLY_LENGTH = 64 * 1024;

/** Room for the headers of a WRITE in front of its data; the kernel asks for at least this much. */
export const REQUEST_OVERHEAD = 4096;

const TWO_32 = 0x1_0000_0000;

/** Mapped memory as it is sent in a reply, and which memory of the pool that is. */
export interface ReplyWindow {
  /** Pool address of the first byte. */
  readonly address: number;
  readonly bytes: Uint8Array;
}

/**
 * One request and its reply, in two buffers that a worker uses for its whole life: nothing is
 * allocated per request. Fields are read and written as aligned 32-bit words (x86-64 and the wire
 * agree in byte order); 64-bit fields are Numbers, exact to 2^53, beyond every size we serve.
 */
export class Call {
  /** The whole request, header included. */
  readonly request: Buffer;
  readonly #in: Uint32Array;
  /** The whole reply, header included. */
  readonly reply: Buffer;
  readonly #out: Uint32Array;
  /** Bytes received. */
  length = 0;
  /** Bytes of the reply's body in `reply`, behind its header. */
  bodyLength = 0;
  /** Mapped memory that is sent in place of a body. */
  windows: readonly ReplyWindow[] | undefined = undefined;

  constructor(maxWrite: number) {
    const request = new ArrayBuffer(maxWrite + REQUEST_OVERHEAD);
    this.request = Buffer.from(request);
    this.#in = new Uint32Array(request);
    const reply = new ArrayBuffer(OutHeader.size + REPLY_LENGTH);
    this.reply = Buffer.from(reply);
    this.#out = new Uint32Array(reply);
    // Memory that is there already: a process that is killed while the kernel has to find pages for a
    // request fails it with EIO.
    for (const buffer of [this.request, this.reply]) buffer.fill(1);
  }

  /** Bytes of reply body that fit. */
  get bodyCapacity(): number {
    return REPLY_LENGTH;
  }

  get opcode(): number {
    return this.#in[InHeader.opcode >> 2];
  }

  /** What the kernel says the request's length is. */
  get declaredLength(): number {
    return this.#in[InHeader.len >> 2];
  }

  get nodeid(): number {
    return this.#in[InHeader.nodeid >> 2] + this.#in[(InHeader.nodeid >> 2) + 1] * TWO_32;
  }

  get uniqueLow(): number {
    return this.#in[InHeader.unique >> 2];
  }

  get uniqueHigh(): number {
    return this.#in[(InHeader.unique >> 2) + 1];
  }

  /** Whether another process had taken this request, and died. */
  get isResent(): boolean {
    return this.uniqueHigh > 0x7fffffff;
  }

  /** A 32-bit argument at an offset behind the header. */
  u32(offset: number): number {
    return this.#in[(InHeader.size + offset) >> 2];
  }

  /** A 64-bit argument; inexact from 2^53, where every file has ended. */
  u64(offset: number): number {
    const word = (InHeader.size + offset) >> 2;
    return this.#in[word] + this.#in[word + 1] * TWO_32;
  }

  /** A signed 64-bit argument: seconds since the epoch. */
  i64(offset: number): number {
    const word = (InHeader.size + offset) >> 2;
    return this.#in[word] + (this.#in[word + 1] | 0) * TWO_32;
  }

  /** The argument bytes from an offset to the request's end: a view. */
  data(offset: number): Uint8Array {
    return this.request.subarray(InHeader.size + offset, this.length);
  }

  /** A NUL-terminated argument, without its NUL; undefined when there is none. */
  name(offset: number): Uint8Array | undefined {
    const start = InHeader.size + offset;
    const end = this.request.indexOf(0, start);
    return end < 0 || end >= this.length ? undefined : this.request.subarray(start, end);
  }

  /** Sets a 32-bit field of the reply's body. */
  put32(offset: number, value: number): void {
    this.#out[(OutHeader.size + offset) >> 2] = value;
  }

  /** Sets a 64-bit field of the reply's body: a non-negative integer, or negative seconds. */
  put64(offset: number, value: number): void {
    const word = (OutHeader.size + offset) >> 2;
    this.#out[word] = value % TWO_32;
    this.#out[word + 1] = Math.floor(value / TWO_32);
  }

  /** Copies bytes into the reply's body. */
  putBytes(offset: number, bytes: Uint8Array): void {
    this.reply.set(bytes, OutHeader.size + offset);
  }

  /** Zeroes a range of the reply's body: replies are built over those before. */
  clear(offset: number, length: number): void {
    this.reply.fill(0, OutHeader.size + offset, OutHeader.size + offset + length);
  }

  /** Begins a reply of that many bytes, all zero. */
  body(length: number): void {
    this.clear(0, length);
    this.bodyLength = length;
  }

  /** Forgets what the request before left behind. */
  begin(length: number): void {
    this.length = length;
    this.bodyLength = 0;
    this.windows = undefined;
  }

  /**
   * Completes the reply's header. An error has no body. `unique` goes back as the two words it came
   * in: the kernel sets bit 63 of a resent request, which a Number would lose.
   */
  finish(errno: number): void {
    if (errno !== 0) {
      this.bodyLength = 0;
      this.windows = undefined;
    }
    let length = OutHeader.size + this.bodyLength;
    if (this.windows !== undefined) for (const { bytes } of this.windows) length += bytes.length;
    this.#out[OutHeader.len >> 2] = length;
    this.#out[OutHeader.error >> 2] = -errno;
    this.#out[OutHeader.unique >> 2] = this.#in[InHeader.unique >> 2];
    this.#out[(OutHeader.unique >> 2) + 1] = this.#in[(InHeader.unique >> 2) + 1];
  }
}
