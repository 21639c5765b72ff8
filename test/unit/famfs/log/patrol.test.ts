import assert from 'node:assert/strict';
import { entryOffset } from '../../../../src/famfs/format/log-header.ts';
import { nextWord } from '../../../../src/famfs/format/state-word.ts';
import { LogPatrol } from '../../../../src/famfs/log/patrol.ts';
import { Replayer } from '../../../../src/famfs/log/replayer.ts';
import { SmallPool } from '../../../support/small-pool.ts';

const ENTRIES = 100;

function filled(): { pool: SmallPool; patrol: LogPatrol } {
  const pool = new SmallPool(ENTRIES + 10);
  for (let index = 0; index < ENTRIES; index++) pool.directory(`d${index}`);
  return { pool, patrol: new LogPatrol(Replayer.create(pool.device), pool.device.superblock) };
}

function scribble(pool: SmallPool, index: number): void {
  pool.log.store(entryOffset(index) + 100, Buffer.from('not what the writer wrote'));
}

/** What so many steps find, each of `entries`. */
function findings(patrol: LogPatrol, steps: number, entries: number): (number | undefined)[] {
  return Array.from({ length: steps }, () => patrol.step(entries)?.index);
}

describe('the patrol of a log', () => {
  it('finds nothing in a sound log, however often it has been round', () => {
    const { patrol } = filled();
    assert.deepEqual(findings(patrol, 50, 7), new Array(50).fill(undefined));
  });

  it('finds an entry that somebody wrote over after it had been replayed, within one round', () => {
    for (const index of [0, 20, 21, 63, ENTRIES - 1]) {
      const { pool, patrol } = filled();
      assert.equal(patrol.step(40), undefined);
      scribble(pool, index);
      const found = findings(patrol, Math.ceil(ENTRIES / 40) + 1, 40);
      assert.ok(found.includes(index), `entry ${index}: found ${found.join()}`);
    }
  });

  it('finds a superblock and a log header that somebody wrote over, and sees when they are well again', () => {
    for (const place of ['superblock', 'log header'] as const) {
      const { pool, patrol } = filled();
      const region = place === 'superblock' ? pool.device.superblock : pool.log;
      const before = Buffer.from(region.bytes.subarray(0, 8));
      region.store(0, Buffer.from('nonsense'));
      assert.equal(patrol.step(1)?.place, place);
      region.store(0, before);
      assert.equal(patrol.step(1), undefined);
    }
  });

  it('takes a changed state for what it is', () => {
    const { pool, patrol } = filled();
    pool.setWord(30, nextWord(pool.word(30), 'void')!);
    assert.deepEqual(findings(patrol, 6, 40), new Array(6).fill(undefined));
  });

  it('leaves out guarded slots, which may hold anything', () => {
    const { pool, patrol } = filled();
    scribble(pool, 50);
    pool.claim(1, [{ first: 49, count: 4 }]);
    assert.deepEqual(findings(patrol, 6, 40), new Array(6).fill(undefined));
    scribble(pool, 53);
    assert.ok(findings(patrol, 6, 40).includes(53));
  });

  it('looks no further than the log goes', () => {
    const { pool, patrol } = filled();
    scribble(pool, ENTRIES);
    assert.deepEqual(findings(patrol, 6, 40), new Array(6).fill(undefined));
  });
});
