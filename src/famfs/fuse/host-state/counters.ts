import { monotonicMs } from '../../host.ts';
import { OPCODES, ReadIn } from '../protocol/abi.ts';
import type { Call } from '../protocol/call.ts';

/** 8-byte floats: a header, then for each worker its present request, and two numbers by opcode: operations and errors. */
const Header = Object.freeze({ magic: 0, workers: 1, opcodes: 2, replayed: 3, lookedAtMs: 4, /** An integer. */ acknowledged: 5, restarts: 6, words: 8 } as const);

/** What a worker is at; `opcode` is 0 between two requests. */
const Current = Object.freeze({ opcode: 0, uniqueLow: 1, uniqueHigh: 2, node: 3, offset: 4, length: 5, words: 8 } as const);
/** Numbers of one worker. */
const PART = Current.words + 2 * OPCODES;

/** "famfsC" and the layout's version. */
const MAGIC = 0x66616d667302;

/** A request that a worker has taken and not answered. */
export interface CurrentRequest {
  readonly opcode: number;
  /** The kernel's name for it, without the bit that marks it as resent. */
  readonly unique: string;
  readonly node: number;
  /** Of READ and WRITE, in bytes. */
  readonly offset: number;
  readonly length: number;
}

/** What a session did so far. */
export interface CounterTotals {
  /** By opcode. */
  readonly operations: readonly number[];
  /** Those answered with an error, by opcode. */
  readonly errors: readonly number[];
  /** Log entries that its tree knows. */
  readonly replayed: number;
  /** When it last looked whether the log has grown, in milliseconds of `monotonicMs`. */
  readonly lookedAtMs: number;
  /** The change word that all its workers have passed, 0 for none: they use nothing any more that was deleted before it. */
  readonly acknowledged: bigint;
  /** How often another child went on where one had died. */
  readonly restarts: number;
}

/**
 * What the threads of a session did, in memory that others may read: each thread writes its own part
 * without atomics. Numbers are doubles, which do not overflow, and are not torn on x86-64.
 */
export class Counters {
  readonly #numbers: Float64Array;
  readonly #integers: BigUint64Array;

  /** Over memory that `format` has prepared. */
  constructor(memory: ArrayBufferLike) {
    this.#numbers = new Float64Array(memory);
    this.#integers = new BigUint64Array(memory);
  }

  /** Bytes for so many workers. */
  static length(workers: number): number {
    return (Header.words + workers * PART) * 8;
  }

  /** Prepares zeroed memory of that length. */
  static format(memory: ArrayBufferLike, workers: number): Counters {
    const numbers = new Float64Array(memory);
    numbers[Header.magic] = MAGIC;
    numbers[Header.workers] = workers;
    numbers[Header.opcodes] = OPCODES;
    return new Counters(memory);
  }

  /** Over the bytes of a file. */
  static copyOf(bytes: Uint8Array): Counters {
    return new Counters(new Uint8Array(bytes).buffer);
  }

  /** For a child that follows another: whether this is memory of that many workers. If so, counts the restart. */
  continueWith(workers: number): boolean {
    const [magic, present, opcodes] = this.#numbers;
    if (magic !== MAGIC || present !== workers || opcodes !== OPCODES) return false;
    this.#numbers[Header.restarts]++;
    return true;
  }

  /** The part of one worker. */
  of(worker: number): WorkerCounters {
    const at = Header.words + worker * PART;
    return new WorkerCounters(this.#numbers.subarray(at, at + PART));
  }

  /** What the workers of a process that has died had taken and not answered. */
  current(): CurrentRequest[] {
    const [magic, workers] = this.#numbers;
    const found: CurrentRequest[] = [];
    for (let worker = 0; magic === MAGIC && worker < workers!; worker++) {
      const [opcode, low, high, node, offset, length] = this.#numbers.subarray(Header.words + worker * PART);
      if (opcode !== 0) found.push({ opcode: opcode!, unique: uniqueOf(low!, high!), node: node!, offset: offset!, length: length! });
    }
    return found;
  }

  /** Forgets that: for a child that begins to serve, before its workers take requests. */
  clearCurrent(): void {
    for (let worker = 0; worker < this.#numbers[Header.workers]!; worker++) this.of(worker).answered();
  }

  /** For the replaying thread: it has looked whether the log has grown just now, and knows so many entries. */
  recordLook(replayed: number): void {
    this.#numbers[Header.replayed] = replayed;
    this.#numbers[Header.lookedAtMs] = monotonicMs();
  }

  /** For the replaying thread: all workers have passed this change word. */
  acknowledge(change: bigint): void {
    Atomics.store(this.#integers, Header.acknowledged, change);
  }

  /** The sum over all workers; undefined where the memory holds no counters of this layout. */
  total(): CounterTotals | undefined {
    const [magic, workers, opcodes, replayed, lookedAtMs] = this.#numbers;
    if (magic !== MAGIC || this.#numbers.length < Header.words + workers * PART) return undefined;
    const sums = [new Array<number>(opcodes).fill(0), new Array<number>(opcodes).fill(0)];
    for (let part = 0; part < workers * 2; part++) {
      const from = Header.words + (part >> 1) * PART + Current.words + (part % 2) * opcodes;
      for (let opcode = 0; opcode < opcodes; opcode++) sums[part % 2][opcode] += this.#numbers[from + opcode];
    }
    const acknowledged = Atomics.load(this.#integers, Header.acknowledged);
    return { operations: sums[0], errors: sums[1], replayed, lookedAtMs, acknowledged, restarts: this.#numbers[Header.restarts] };
  }
}

/** One worker's part. */
export class WorkerCounters {
  readonly #numbers: Float64Array;

  constructor(numbers: Float64Array) {
    this.#numbers = numbers;
  }

  /** A request was taken: should it be the end of this process, others know which one it was. */
  taken(call: Call): void {
    const numbers = this.#numbers;
    numbers[Current.uniqueLow] = call.uniqueLow;
    numbers[Current.uniqueHigh] = call.uniqueHigh;
    numbers[Current.node] = call.nodeid;
    // Those of READ and WRITE, which stand at the same place; nobody looks at those of others.
    numbers[Current.offset] = call.u64(ReadIn.offset);
    numbers[Current.length] = call.u32(ReadIn.length);
    numbers[Current.opcode] = call.opcode;
  }

  /** It was answered. */
  answered(): void {
    this.#numbers[Current.opcode] = 0;
  }

  /** Counts an answered request. Opcodes we do not know count as 0. */
  count(opcode: number, errno: number): void {
    const at = Current.words + (opcode < OPCODES ? opcode : 0);
    this.#numbers[at]++;
    if (errno !== 0) this.#numbers[OPCODES + at]++;
  }
}

/** A request's name from its two words: the highest bit only says that it was resent. */
export function uniqueOf(low: number, high: number): string {
  return `${(high & 0x7fffffff).toString(16)}.${low.toString(16)}`;
}
