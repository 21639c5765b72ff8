/** Logs that are made to be slow to replay. */
import assert from 'node:assert/strict';
import { stateOffset } from '../../src/famfs/format/log-header.ts';
import { EntryType, nextWord, StateWord } from '../../src/famfs/format/state-word.ts';
import { Replayer } from '../../src/famfs/log/replayer.ts';
import { SmallPool } from './small-pool.ts';

/** A log made to be slow: builds it with `entries` entries, and what is replayed of it. */
export type SlowLog = (entries: number) => { pool: SmallPool; run: () => void };

export const replay = (pool: SmallPool) => () => void Replayer.create(pool.device);

export const slowLogs: Readonly<Record<string, SlowLog>> = {
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
  'a file over all memory of many quarantined ones, that goes': (entries) => {
    const pool = new SmallPool(entries, entries);
    for (let k = 0; k < entries - 1; k++) pool.put(EntryType.Quarantined, pool.fileBody(`q${k}`, [[k, 1]]));
    const over = pool.file('over', [0, entries]);
    const replayer = Replayer.create(pool.device);
    const run = () => {
      pool.setWord(over, StateWord.voidFile);
      assert.equal(replayer.catchUp().rebuilt, true);
    };
    return { pool, run };
  },
  'files set back from void to quarantined': (entries) => {
    const pool = new SmallPool(entries, entries);
    for (let k = 0; k < entries; k++) pool.file(`f${k}`, [k, 1]);
    for (let k = 0; k < entries; k++) pool.log.store64(stateOffset(k), StateWord.voidFile);
    const replayer = Replayer.create(pool.device);
    const run = () => {
      for (let k = 0; k < entries; k++) pool.log.store64(stateOffset(k), StateWord.quarantined);
      pool.change();
      assert.equal(replayer.catchUp().rebuilt, true);
    };
    return { pool, run };
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
    const ranges = Array.from({ length: Math.min(1024, Math.floor(entries / 8)) }, (_, k) => ({ first: entries - 8 * k - 8, count: 4 }));
    pool.claim(1, ranges);
    for (let k = 0; k < entries; k++) pool.directory(`d${k}`);
    for (const { first } of ranges) for (let k = first; k < first + 4; k++) pool.log.store64(stateOffset(k), nextWord(pool.word(k), 'void')!);
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
      assert.equal(replayer.problemCount, entries);
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
  'refused entries of sixteen extents each, and polls while nothing changes': (entries) => {
    const pool = new SmallPool(entries, 32 * entries);
    pool.file('same', [0, 1]);
    for (let k = 1; k < entries; k++) pool.file('same', ...Array.from({ length: 16 }, (_, part) => [32 * k + 2 * part, 1] as const));
    const replayer = Replayer.create(pool.device);
    const run = () => {
      for (let k = 0; k < entries; k++) replayer.catchUp();
    };
    return { pool, run };
  },
};
