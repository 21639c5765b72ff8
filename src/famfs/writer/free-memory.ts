import type { Allocator } from '../alloc/allocator.ts';
import { common, joined, partsWithin, type Run, sumOf } from '../alloc/free-runs.ts';
import { RunSet } from '../alloc/run-set.ts';
import type { ZeroCheck } from '../device/zero-check.ts';
import { FamfsError } from '../errors.ts';
import type { Pool } from '../pool/pool.ts';
import { MIB } from '../units.ts';

/** Bytes that are read at once: what is not zero somewhere in between is kept back as a whole. A multiple of every allocation unit. */
const STEP = 64 * MIB;

/**
 * The free memory of a pool, as its writer gives it to files. *Void* in an entry says that its memory is free and
 * zero, but whoever can write the pool's bytes can store that word. So memory is handed out only if this writer has
 * zeroed it, or has read it as zero since it took over. What is free and not zero is *tainted*, and kept back.
 */
export class FreeMemory {
  readonly #pool: Pool;
  #allocator: Allocator;
  /** Part of what is free. */
  readonly #zero = new RunSet();
  readonly #tainted = new RunSet();
  #foundBytes = 0;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#allocator = pool.allocator();
  }

  /** Bytes that can be had, tainted ones not counted. */
  get free(): number {
    return this.#allocator.free;
  }

  /** The largest file that could be made, if all of it is zero. */
  get largestAllocatable(): number {
    return this.#allocator.largestAllocatable;
  }

  /** What is kept back. */
  get tainted(): readonly Run[] {
    return this.#tainted.runs;
  }

  /** Bytes that were found tainted since this writer took over, scrubbed or not. */
  get foundBytes(): number {
    return this.#foundBytes;
  }

  /** Others have changed what is free: asks the pool again. */
  reload(): void {
    this.#allocator = this.#pool.allocator();
    this.#tainted.keep(this.#allocator.runs);
    this.#allocator.remove(this.#tainted.runs);
    this.#zero.keep(this.#allocator.runs);
  }

  /**
   * Takes memory for `size` bytes, rounded up to whole units, all of which is zero; undefined when there is too little.
   * What nobody has read yet is read now: a caller that can wait lets `prepare` do it before.
   */
  allocate(size: number): Run[] | undefined {
    for (;;) {
      const runs = this.#allocator.allocate(size);
      if (runs === undefined) return undefined;
      for (const part of this.#unread(runs)) this.#judge(part, this.#pool.memory.checkZero(part.start, part.end - part.start));
      const tainted = runs.flatMap((run) => partsWithin(run, this.#tainted.runs));
      if (tainted.length === 0) {
        this.#zero.remove(runs);
        return runs;
      }
      this.#allocator.restore(runs); // other memory will do
      this.#allocator.remove(tainted);
    }
  }

  /** Gives memory back that was taken for something that was then not done, or that this writer has zeroed. */
  restore(runs: readonly Run[]): void {
    const clean = this.#tainted.missing(runs);
    this.#allocator.restore(clean);
    this.#zero.add(clean);
  }

  /** Reads what a file of `size` bytes would get, in another thread, so that `allocate` need not. Throws FamfsError CLAIM_LOST when the pool is closed. */
  async prepare(size: number): Promise<void> {
    for (;;) {
      const runs = this.#allocator.allocate(size);
      if (runs === undefined) return;
      this.#allocator.restore(runs);
      const [next] = this.#unread(runs);
      if (next === undefined) return;
      await this.#read(next);
    }
  }

  /**
   * Reads some memory that nobody has read yet, in another thread: what the next small files would get comes first.
   * Answers the bytes that were read, or undefined when there is nothing left to read.
   */
  async readNext(): Promise<number | undefined> {
    const smallestFirst = [...this.#allocator.runs].sort((a, b) => (a.end - a.start) - (b.end - b.start));
    for (const run of smallestFirst) {
      const [next] = this.#unread([run]);
      if (next !== undefined) return await this.#read(next);
    }
    return undefined;
  }

  /** Keeps memory back, as far as it is free: somebody else has stored there, or may be about to. */
  taint(runs: readonly Run[]): void {
    const { allocatable } = this.#pool.replayer.geometry;
    this.#keepBack(common(joined(runs), this.#pool.freeRuns(allocatable)));
  }

  /** Takes up to `count` tainted runs, the largest first: they are going to be scrubbed. */
  takeTainted(count: number): Run[] {
    const taken = [...this.#tainted.runs].sort((a, b) => (b.end - b.start) - (a.end - a.start)).slice(0, count);
    this.#tainted.remove(taken);
    return taken;
  }

  async #read(part: Run): Promise<number> {
    const { memory } = this.#pool;
    if (memory.closed) throw new FamfsError('CLAIM_LOST', `${memory.path} was closed while its memory was read`);
    const check = await memory.checkZeroAside(part.start, part.end - part.start);
    for (const free of partsWithin(part, this.#allocator.runs)) this.#judge(free, check); // the rest was taken meanwhile
    return check.readBytes;
  }

  #judge(part: Run, { isZero }: ZeroCheck): void {
    if (isZero) this.#zero.add([part]);
    else this.#keepBack([part]);
  }

  #keepBack(parts: readonly Run[]): void {
    this.#foundBytes += sumOf(this.#tainted.missing(parts));
    this.#tainted.add(parts);
    this.#zero.remove(parts);
    this.#allocator.remove(parts);
  }

  /** What of these runs nobody knows to be zero, in steps. */
  *#unread(runs: readonly Run[]): Generator<Run> {
    for (const { start, end } of this.#zero.missing(runs)) {
      for (let at = start; at < end; at += STEP) yield { start: at, end: Math.min(at + STEP, end) };
    }
  }
}
