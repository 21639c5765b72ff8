import { OPCODES } from './abi.ts';

/** 8-byte floats: a header, then for each worker two numbers by opcode, operations and errors. */
const Header = Object.freeze({ magic: 0, workers: 1, opcodes: 2, replayed: 3, lookedAt: 4, /** An integer. */ acknowledged: 5, restarts: 6, words: 8 } as const);

/** "famfsC" and the layout's version. */
const MAGIC = 0x66616d667301;

/** What a session did so far. */
export interface CounterTotals {
  /** By opcode. */
  readonly operations: readonly number[];
  /** Those answered with an error, by opcode. */
  readonly errors: readonly number[];
  /** Log entries that its tree knows. */
  readonly replayed: number;
  /** When it last looked whether the log has grown, in milliseconds since the host booted. */
  readonly lookedAt: number;
  /** The change word that its workers have passed, 0 for none: what was deleted before it, they let go of. */
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
    return (Header.words + workers * 2 * OPCODES) * 8;
  }

  /** Prepares zeroed memory of that length. */
  static format(memory: ArrayBufferLike, workers: number): Counters {
    const numbers = new Float64Array(memory);
    numbers[Header.magic] = MAGIC;
    numbers[Header.workers] = workers;
    numbers[Header.opcodes] = OPCODES;
    return new Counters(memory);
  }

  /** For a child that follows another: whether this is memory of that many workers. Counts it. */
  continues(workers: number): boolean {
    const [magic, present, opcodes] = this.#numbers;
    if (magic !== MAGIC || present !== workers || opcodes !== OPCODES) return false;
    this.#numbers[Header.restarts]++;
    return true;
  }

  /** The part of one worker. */
  of(worker: number): WorkerCounters {
    const at = Header.words + worker * 2 * OPCODES;
    return new WorkerCounters(this.#numbers.subarray(at, at + 2 * OPCODES));
  }

  /** For the replaying thread: how far it is, and that it has just looked. */
  looked(replayed: number): void {
    this.#numbers[Header.replayed] = replayed;
    this.#numbers[Header.lookedAt] = uptime();
  }

  /** For the replaying thread: all workers have passed this change word. */
  acknowledge(change: bigint): void {
    Atomics.store(this.#integers, Header.acknowledged, change);
  }

  /** The sum over all workers; undefined where the memory holds no counters of this layout. */
  total(): CounterTotals | undefined {
    const [magic, workers, opcodes, replayed, lookedAt] = this.#numbers;
    if (magic !== MAGIC || this.#numbers.length < Header.words + workers * 2 * opcodes) return undefined;
    const sums = [new Array<number>(opcodes).fill(0), new Array<number>(opcodes).fill(0)];
    for (let part = 0; part < workers * 2; part++) {
      const from = Header.words + part * opcodes;
      for (let opcode = 0; opcode < opcodes; opcode++) sums[part % 2][opcode] += this.#numbers[from + opcode];
    }
    const acknowledged = Atomics.load(this.#integers, Header.acknowledged);
    return { operations: sums[0], errors: sums[1], replayed, lookedAt, acknowledged, restarts: this.#numbers[Header.restarts] };
  }
}

/** Milliseconds since the host booted: the same for all its processes. */
export function uptime(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** One worker's part. */
export class WorkerCounters {
  readonly #numbers: Float64Array;

  constructor(numbers: Float64Array) {
    this.#numbers = numbers;
  }

  /** Counts an answered request. Opcodes we do not know count as 0. */
  count(opcode: number, errno: number): void {
    const at = opcode < OPCODES ? opcode : 0;
    this.#numbers[at]++;
    if (errno !== 0) this.#numbers[OPCODES + at]++;
  }
}
