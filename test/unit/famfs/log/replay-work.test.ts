import assert from 'node:assert/strict';
import { ExtentMap } from '../../../../src/famfs/alloc/extent-map.ts';
import { entryOffset, stateOffset } from '../../../../src/famfs/format/log-header.ts';
import { EntryType, nextWord, StateWord } from '../../../../src/famfs/format/state-word.ts';
import { IndexWriter } from '../../../../src/famfs/index/index-writer.ts';
import { Replayer } from '../../../../src/famfs/log/replayer.ts';
import { SmallPool } from '../../../support/small-pool.ts';

/** What a replay did: nothing is timed, so that a slow machine gives the same answer. */
interface Work {
  loads: number;
  bytesCopied: number;
  ownership: number;
  lookups: number;
}

/** Counts what replays of a pool do while `run` runs. */
function measure(pool: SmallPool, run: () => void): Work {
  const work: Work = { loads: 0, bytesCopied: 0, ownership: 0, lookups: 0 };
  const { log } = pool;
  const undo: (() => void)[] = [];
  const count = <T extends object>(target: T, name: keyof T & string, step: (args: unknown[]) => void) => {
    const own = Object.getOwnPropertyDescriptor(target, name);
    const call = target[name] as (...args: unknown[]) => unknown;
    Object.defineProperty(target, name, {
      configurable: true,
      value(this: unknown, ...args: unknown[]) {
        step(args);
        return call.apply(this, args);
      },
    });
    undo.push(() => (own ? Object.defineProperty(target, name, own) : void delete target[name]));
  };
  count(log, 'load64', () => work.loads++);
  count(log, 'load32', () => work.loads++);
  count(log.bytes, 'copy', ([, , from, to]) => (work.bytesCopied += Number(to) - Number(from)));
  for (const name of ['overlapping', 'add', 'remove'] as const) count(ExtentMap.prototype, name, () => work.ownership++);
  for (const name of ['child', 'link', 'unlink'] as const) count(IndexWriter.prototype, name, () => work.lookups++);
  try {
    run();
  } finally {
    undo.forEach((restore) => restore());
  }
  return work;
}

/** A log made to be slow: builds it with `entries` entries, and what is replayed of it. */
type Hostile = (entries: number) => { pool: SmallPool; run: () => void };

const replay = (pool: SmallPool) => () => void Replayer.create(pool.device);

const hostile: Record<string, Hostile> = {
  'the same path over and over': (entries) => {
    const pool = new SmallPool(entries);
    for (let k = 0; k < entries; k++) pool.file('same', [0, 1]);
    return { pool, run: replay(pool) };
  },
  'files over the whole device, above as many quarantined ones and a live one': (entries) => {
    const half = entries / 2;
    const pool = new SmallPool(entries + 1, half + 1);
    for (let k = 0; k < half; k++) pool.put(EntryType.Quarantined, pool.fileBody(`q${k}`, [[k, 1]]));
    pool.file('live', [half, 1]);
    for (let k = 0; k < half; k++) pool.file(`f${k}`, [0, half + 1]);
    return { pool, run: replay(pool) };
  },
  'sixteen extents each, the last of which collides': (entries) => {
    const pool = new SmallPool(entries, 64);
    pool.file('live', [60, 1]);
    const units = [...Array.from({ length: 15 }, (_, k) => [2 * k, 1] as const), [60, 1] as const];
    for (let k = 1; k < entries; k++) pool.file(`f${k}`, ...units);
    return { pool, run: replay(pool) };
  },
  'directories as deep as a path goes': (entries) => {
    const pool = new SmallPool(entries);
    for (let k = 1; k <= 39; k++) pool.directory(Array(k).fill('d').join('/'));
    const deep = Array(38).fill('d').join('/');
    while (pool.next < entries) pool.file(`${deep}/${pool.next % 10}`, [0, 1]);
    return { pool, run: replay(pool) };
  },
  'a thousand ranges of guards, and a counter at zero': (entries) => {
    const pool = new SmallPool(entries);
    pool.claim(1, Array.from({ length: 1024 }, (_, k) => ({ first: entries - 2 * k - 1, count: 1 })));
    for (let k = 0; k < entries; k++) pool.directory(`d${k}`);
    pool.count(0);
    return { pool, run: replay(pool) };
  },
  'a counter past all bounds, over nothing': (entries) => {
    const pool = new SmallPool(entries);
    pool.file('one', [0, 1]);
    pool.log.store64(40, 2n ** 63n);
    return { pool, run: replay(pool) };
  },
  'state words that nobody writes, changed again and again': (entries) => {
    const pool = new SmallPool(entries, entries);
    for (let k = 0; k < entries; k++) pool.directory(`d${k}`);
    const replayer = Replayer.create(pool.device);
    const run = () => {
      for (let round = 0n; round < 3n; round++) {
        for (let k = 0; k < entries; k++) pool.log.store64(stateOffset(k), 77n + round);
        pool.change();
        replayer.catchUp();
      }
      assert.equal(replayer.problems.length, entries);
    };
    return { pool, run };
  },
  'every entry of a large directory deleted at once': (entries) => {
    const pool = new SmallPool(entries, entries);
    for (let k = 0; k < entries; k++) pool.file(`f${k}`, [k, 1]);
    const replayer = Replayer.create(pool.device);
    const run = () => {
      for (let k = 0; k < entries; k++) pool.log.store64(stateOffset(k), StateWord.quarantined);
      pool.change();
      assert.equal(replayer.catchUp().removed.length, entries);
    };
    return { pool, run };
  },
  'refused entries, and a deletion that asks for a fresh replay': (entries) => {
    const pool = new SmallPool(entries);
    const live = pool.file('same', [0, 1]);
    while (pool.next < entries) pool.file('same', [0, 1]);
    const replayer = Replayer.create(pool.device);
    const run = () => {
      pool.setWord(live, nextWord(pool.word(live), 'quarantined')!);
      assert.equal(replayer.catchUp().rebuilt, true);
    };
    return { pool, run };
  },
};

/** What one entry may cost, whatever it holds. */
const perEntry = { loads: 24, bytesCopied: 3 * 544, ownership: 80, lookups: 48 } as const;
/** Looks at the counters and the like. */
const fixed = { loads: 64, bytesCopied: 32 * 544, ownership: 64, lookups: 64 } as const;

describe('work of a replay', function () {
  this.timeout(120_000);

  for (const [name, make] of Object.entries(hostile)) {
    it(`is bounded by the log's size: ${name}`, () => {
      const entries = 4096;
      const { pool, run } = make(entries);
      const work = measure(pool, run);
      for (const kind of Object.keys(perEntry) as (keyof Work)[]) {
        const most = perEntry[kind] * entries + fixed[kind];
        assert(work[kind] <= most, `${kind}: ${work[kind]}, at most ${most} for ${entries} entries`);
      }
    });

    it(`comes to its end in a large log: ${name}`, () => {
      // Were anything of it quadratic, these would be billions of steps.
      const { run } = make(60_000);
      run();
    });
  }

  it('reads no slot past the first that is not valid', () => {
    const pool = new SmallPool(1000);
    for (let k = 0; k < 1000; k++) pool.directory(`d${k}`);
    pool.log.store64(entryOffset(10) + 40, 1n);
    const { bytesCopied } = measure(pool, replay(pool));
    assert(bytesCopied <= 32 * 544, `${bytesCopied} bytes were read`);
  });
});
