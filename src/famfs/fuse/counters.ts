import { OPCODES } from './abi.ts';

/** Two numbers for each opcode: operations, and those answered with an error. */
const PER_WORKER = 2 * OPCODES;

/**
 * What the workers of a session did, in shared memory: each writes its own part without atomics,
 * anyone may read. Numbers are doubles, which do not overflow, and are not torn on x86-64.
 */
export class Counters {
  readonly buffer: SharedArrayBuffer;

  constructor(workers: number | SharedArrayBuffer) {
    this.buffer = typeof workers === 'number' ? new SharedArrayBuffer(workers * PER_WORKER * 8) : workers;
  }

  /** The part of one worker. */
  of(worker: number): WorkerCounters {
    return new WorkerCounters(new Float64Array(this.buffer, worker * PER_WORKER * 8, PER_WORKER));
  }

  /** The sum over all workers, by opcode. */
  total(): { operations: number[]; errors: number[] } {
    const operations = new Array<number>(OPCODES).fill(0);
    const errors = new Array<number>(OPCODES).fill(0);
    const all = new Float64Array(this.buffer);
    for (let at = 0; at < all.length; at++) {
      const opcode = at % OPCODES;
      (Math.floor(at / OPCODES) % 2 === 0 ? operations : errors)[opcode] += all[at];
    }
    return { operations, errors };
  }
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
