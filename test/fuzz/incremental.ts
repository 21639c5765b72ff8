import assert from 'node:assert/strict';
import { FileLayout } from '../../src/famfs/format/entry-layout.ts';
import { entryIsValid } from '../../src/famfs/format/entry.ts';
import { entryOffset } from '../../src/famfs/format/log-header.ts';
import { EntryType, nextWord, StateWord } from '../../src/famfs/format/state-word.ts';
import { Replayer } from '../../src/famfs/log/replayer.ts';
import { SmallPool, UNIT } from '../support/small-pool.ts';
import { agree } from './agree.ts';
import type { Random } from './random.ts';
import { ALL_NAMED, problemKey, readTree, treeSum } from './tree.ts';

/** Slots of a log that grows step by step, and units of memory: few, so that files collide. */
const SLOTS = 40;
const UNITS = 12;
const paths = ['a', 'b', 'c', 'a/b', 'a/c', 'a/b/c', 'b/a', 'b/c', 'a/b/c/d', '..', '/a'];

/** A story is told in a log whose rejects may be more than so many, and then are too many; or less. */
const FEW_REJECTS = 4;

/** What a story does next. */
interface Plot {
  readonly pool: SmallPool;
  step(): string;
}

/**
 * A log in which nothing is ever refused, so that the index is changed in place and not replayed anew: files,
 * deletions, and memory of deleted files used again: when it has come back, as the one writer does, or too soon, as a
 * program that knows no quarantine; and late stores that set a file back to quarantined.
 */
class SoundStory implements Plot {
  readonly pool = new SmallPool(SLOTS, 2 * SLOTS);
  readonly #random: Random;
  readonly #live = new Map<string, { index: number; directory: boolean }>();
  /** Of every file, live or not: its units of memory. */
  readonly #units = new Map<number, readonly number[]>();
  readonly #dead: number[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  step(): string {
    const random = this.#random;
    if (random.chance(3)) return this.#remove();
    if (random.chance(6)) return this.#move(StateWord.quarantined, StateWord.voidFile);
    if (random.chance(12)) return this.#move(StateWord.voidFile, StateWord.quarantined);
    const directories = ['', ...[...this.#live].flatMap(([path, { directory }]) => (directory ? [`${path}/`] : []))];
    const path = `${random.pick(directories)}${random.pick(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'])}`;
    if (this.pool.next === SLOTS || this.#live.has(path)) return 'nothing';
    const directory = random.chance(3);
    const units = directory ? [] : this.#chooseUnits();
    if (!directory && units.length === 0) return 'nothing';
    const index = directory ? this.pool.directory(path) : this.pool.file(path, ...units.map((unit) => [unit, 1] as const));
    if (!directory) this.#units.set(index, units);
    this.#live.set(path, { index, directory });
    return `entry ${index}: ${directory ? 'directory' : 'file'} ${path}${directory ? '' : ` over ${units.join(', ')}`}`;
  }

  /** Two that were never used, or some of deleted files. */
  #chooseUnits(): number[] {
    const taken = new Set([...this.#live.values()].flatMap(({ index }) => this.#units.get(index) ?? []));
    const random = this.#random;
    const used = random.chance(2) ? [] : this.#dead.flatMap((index) => this.#units.get(index)!).filter((unit) => !taken.has(unit));
    const again = [...new Set(used)].filter(() => random.chance(2)).slice(0, 3);
    return again.length > 0 ? again : [2 * this.pool.next, 2 * this.pool.next + 1].map((unit) => unit % SLOTS).filter((unit) => !taken.has(unit));
  }

  #remove(): string {
    const empty = [...this.#live].filter(([path]) => ![...this.#live.keys()].some((other) => other.startsWith(`${path}/`)));
    if (empty.length === 0) return 'nothing';
    const [path, { index, directory }] = this.#random.pick(empty);
    this.#live.delete(path);
    if (!directory) this.#dead.push(index);
    this.pool.setWord(index, nextWord(this.pool.word(index), directory ? 'void' : 'quarantined')!);
    return `${path} (entry ${index}) is removed`;
  }

  /** The state of one deleted file goes on, or back. */
  #move(from: bigint, to: bigint): string {
    const those = this.#dead.filter((index) => this.pool.word(index) === from);
    if (those.length === 0) return 'nothing';
    const index = this.#random.pick(those);
    this.pool.setWord(index, to);
    return `entry ${index} becomes ${to === StateWord.voidFile ? 'void' : 'quarantined again'}`;
  }
}

/**
 * The same log, into which another host writes entries that cannot be, in memory of their own, and takes some of
 * them back. Nobody voids those that a deletion brings to life.
 */
class RejectsStory implements Plot {
  readonly pool: SmallPool;
  readonly #random: Random;
  readonly #writer: SoundStory;
  readonly #rejects: number[] = [];

  constructor(random: Random) {
    this.#random = random;
    this.#writer = new SoundStory(random);
    this.pool = this.#writer.pool;
  }

  step(): string {
    const random = this.#random;
    if (random.chance(2)) return this.#writer.step();
    if (random.chance(4)) return this.#takeBack();
    const { pool } = this;
    if (pool.next === SLOTS) return 'full';
    const path = random.pick(['a', 'b', 'c/a', '..', 'none/a']);
    const index = random.chance(5) ? pool.directory(path) : pool.file(path, [SLOTS + pool.next, 1]);
    this.#rejects.push(index);
    return `entry ${index}: ${path} of another host`;
  }

  #takeBack(): string {
    if (this.#rejects.length === 0) return 'nothing';
    const index = this.#random.pick(this.#rejects);
    const word = nextWord(this.pool.word(index), 'void');
    if (word === undefined) return 'nothing';
    this.pool.setWord(index, word);
    return `entry ${index} is taken back`;
  }
}

/**
 * A log that others write to while one replay follows it: entries sound and refused, deletions,
 * the same path again, memory of deleted files too soon, take-overs with guards, late stores into them and
 * of states, counters that lag, entries that become visible in two steps.
 */
class WildStory implements Plot {
  readonly pool = new SmallPool(SLOTS, UNITS);
  readonly #random: Random;
  #guards: { first: number; count: number }[] = [];
  #epoch = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  step(): string {
    const random = this.#random;
    switch (random.below(15)) {
      case 0: case 1: return this.#directory();
      case 2: case 3: case 4: return this.#file();
      case 5: case 6: case 7: return this.#moveState();
      case 8: return this.#halfEntry();
      case 9: return this.#lag();
      case 10: return random.chance(3) ? this.#takeOver() : this.#file();
      case 11: return this.#fileInDead();
      case 12: return this.#setBack();
      case 13: return this.#fileOverQuarantined();
      default: return this.#lateStore();
    }
  }

  /** A directory that goes at once, and a file in it. */
  #fileInDead(): string {
    if (this.#full(2)) return 'full';
    const index = this.pool.directory('c');
    this.pool.setWord(index, nextWord(this.pool.word(index), 'void')!);
    return `entry ${index}: directory c, void at once; entry ${this.pool.file('c/file', [0, 1])}: file c/file`;
  }

  #full(slots = 1): boolean {
    return this.pool.next + slots > SLOTS;
  }

  #directory(): string {
    if (this.#full()) return 'full';
    const path = this.#random.pick(paths);
    return `entry ${this.pool.directory(path)}: directory ${path}`;
  }

  #file(): string {
    if (this.#full()) return 'full';
    const random = this.#random;
    const path = random.pick(paths);
    const units = Array.from({ length: 1 + random.below(3) }, () => [random.below(UNITS), 1 + random.below(2)] as const);
    return `entry ${this.pool.file(path, ...units)}: file ${path} over ${JSON.stringify(units)}`;
  }

  /** A step that a writer may take, on any entry that is read: live, refused, quarantined. */
  #moveState(): string {
    const { pool } = this;
    const index = this.#random.below(Math.max(1, pool.next));
    const from = entryOffset(index);
    if (this.#guarded(index) || !entryIsValid(Buffer.from(pool.log.bytes.subarray(from, from + 544)), index)) return 'nothing';
    const to = this.#random.chance(2) ? 'quarantined' : 'void';
    const word = nextWord(pool.word(index), to);
    if (word === undefined) return 'nothing';
    pool.setWord(index, word);
    return `entry ${index} becomes ${to}`;
  }

  /** Another program knows no quarantine: its file gets some of that memory, and goes in its turn. */
  #fileOverQuarantined(): string {
    if (this.#full()) return 'full';
    const { pool } = this;
    const index = this.#random.below(Math.max(1, pool.next));
    if (this.#guarded(index) || pool.word(index) !== StateWord.quarantined) return 'nothing';
    const first = (Number(pool.log.load64(entryOffset(index) + FileLayout.extents + FileLayout.extent.offset)) - pool.dataStart) / UNIT;
    return `entry ${pool.file(`over-${pool.next}`, [first, 1])}: a file over memory of entry ${index}`;
  }

  /** A writer that was paused stores a deletion of which the memory has come back since. */
  #setBack(): string {
    const { pool } = this;
    const index = this.#random.below(Math.max(1, pool.next));
    if (this.#guarded(index) || pool.word(index) !== StateWord.voidFile) return 'nothing';
    pool.setWord(index, StateWord.quarantined);
    return `entry ${index} is set back to quarantined`;
  }

  /** An entry of which the CRC is not there yet; or now it is. */
  #halfEntry(): string {
    const { pool } = this;
    if (this.#full()) return 'full';
    const at = entryOffset(pool.next) + 536;
    if (pool.log.load64(at) === 0n && this.#random.chance(2)) {
      pool.put(EntryType.File, pool.fileBody('c', [[this.#random.below(UNITS), 1]]), pool.next);
      pool.log.store64(at, 0n);
      pool.count(pool.next);
      return `half of entry ${pool.next}`;
    }
    pool.log.zero(entryOffset(pool.next), 544);
    return `nothing in slot ${pool.next}`;
  }

  #lag(): string {
    const by = this.#random.below(3);
    this.pool.count(Math.max(0, this.pool.next - by));
    return `the counters lag by ${by}`;
  }

  /** With guards, or clean: then the guards of before hold void entries, and the list is empty. */
  #takeOver(): string {
    const { pool } = this;
    this.#epoch++;
    if (this.#random.chance(2) || this.#full(4)) {
      for (const { first, count } of this.#guards) for (let slot = first; slot < first + count; slot++) this.#void(slot);
      this.#guards = [];
      pool.log.zero(entryOffset(pool.next), Math.min(4, SLOTS - pool.next) * 544);
      pool.claim(this.#epoch, []);
      return `take-over ${this.#epoch}`;
    }
    const first = pool.next;
    this.#guards.push({ first, count: 4 });
    pool.claim(this.#epoch, this.#guards);
    if (this.#random.chance(2)) for (let k = 0; k < 4; k++) this.#void(first + k);
    pool.next = first + 4;
    if (!this.#random.chance(3)) pool.count(pool.next);
    return `take-over ${this.#epoch} with guards at ${first}`;
  }

  /** A writer that was paused stores into slots that are guarded against it. */
  #lateStore(): string {
    if (this.#guards.length === 0) return 'nothing';
    const { first, count } = this.#random.pick(this.#guards);
    const slot = first + this.#random.below(count);
    this.pool.put(EntryType.File, this.pool.fileBody('b', [[this.#random.below(UNITS), 1]]), slot);
    if (this.#random.chance(2)) this.pool.log.store64(entryOffset(slot) + 104, BigInt(this.#random.word()));
    return `a late store into slot ${slot}`;
  }

  #void(slot: number): void {
    this.pool.put(EntryType.Void, { kind: 'unknown', payload: Buffer.alloc(520) }, slot);
  }

  #guarded(index: number): boolean {
    return this.#guards.some(({ first, count }) => index >= first && index < first + count);
  }
}

/**
 * Follows one story with one replay, which sees every step or several at once, and compares it
 * after each look with a fresh replay and with the oracle. Answers how often it looked.
 */
export function follow(random: Random, steps: number): number {
  const story: Plot = new (random.pick([SoundStory, RejectsStory, WildStory, WildStory]))(random);
  const { device } = story.pool;
  const rejectsMax = random.chance(2) ? FEW_REJECTS : SLOTS;
  const bounds = { ...ALL_NAMED, rejectsMax };
  const replayer = Replayer.create(device, bounds);
  const told: string[] = [];
  let looks = 0;
  for (let step = 0; step < steps; step++) {
    told.push(story.step());
    if (random.chance(3)) continue;
    try {
      const { rebuilt } = replayer.catchUp();
      if (rebuilt) told.push('(replayed anew)');
      looks++;
      const fresh = Replayer.create(device, bounds);
      agree(device, fresh, rejectsMax);
      if (story instanceof SoundStory) assert.equal(fresh.hasRejects, false);
      agree(device, replayer, rejectsMax);
      assert.deepEqual([replayer.end, problemKey(replayer.problems)], [fresh.end, problemKey(fresh.problems)]);
      assert.equal(treeSum(readTree(replayer.view, SLOTS, true)), treeSum(readTree(fresh.view, SLOTS, true)));
    } catch (error) {
      throw new Error(`after ${told.join('; ')}: ${(error as Error).message}`, { cause: error });
    }
  }
  return looks;
}
