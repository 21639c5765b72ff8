import assert from 'node:assert/strict';
import { ExtentMap } from '../../../../src/famfs/alloc/extent-map.ts';
import { entryOffset } from '../../../../src/famfs/format/log-header.ts';
import { IndexWriter } from '../../../../src/famfs/index/index-writer.ts';
import { replay, slowLogs } from '../../../support/slow-logs.ts';
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

/** What one entry may cost, whatever it holds. */
const perEntry = { loads: 24, bytesCopied: 3 * 544, ownership: 80, lookups: 48 } as const;
/** Looks at the counters and the like. */
const fixed = { loads: 64, bytesCopied: 32 * 544, ownership: 64, lookups: 64 } as const;

describe('work of a replay', () => {
  for (const [name, make] of Object.entries(slowLogs)) {
    it(`is bounded by the log's size: ${name}`, () => {
      const entries = 4096;
      const { pool, run } = make(entries);
      const work = measure(pool, run);
      for (const kind of Object.keys(perEntry) as (keyof Work)[]) {
        const most = perEntry[kind] * entries + fixed[kind];
        assert(work[kind] <= most, `${kind}: ${work[kind]}, at most ${most} for ${entries} entries`);
      }
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
