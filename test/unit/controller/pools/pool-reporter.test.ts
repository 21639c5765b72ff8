import assert from 'node:assert/strict';
import { healthAfter, PoolReporter } from '../../../../src/controller/pools/pool-reporter.ts';
import { FamfsError } from '../../../../src/famfs/errors.ts';

describe('what is told of a pool', () => {
  let told: string[];
  let reporter: PoolReporter;
  beforeEach(() => {
    told = [];
    reporter = new PoolReporter('p0', { volume: () => undefined, pool: ({ pool, severity, reason }) => void told.push(`${pool} ${severity} ${reason}`) });
  });

  it('is each change of its health, once', () => {
    reporter.reportAvailable();
    reporter.reportProblem('unavailable', 'no such device');
    reporter.reportProblem('unavailable', 'no such device');
    reporter.reportProblem('foreign', 'theirs');
    assert.equal(reporter.health, 'foreign');
    reporter.reportAvailable();
    reporter.reportAvailable();
    assert.deepEqual(told, ['p0 warning PoolUnavailable', 'p0 warning PoolForeignWriter', 'p0 normal PoolAvailable']);
    assert.equal(reporter.health, 'ok');
  });

  it('is each level of its slots, once', () => {
    for (const used of [0, 79, 80, 81, 94, 95, 100]) reporter.reportSlots(used, 100);
    assert.deepEqual(told, ['p0 warning PoolSlotsRunningLow', 'p0 warning PoolSlotsNearlyUsedUp']);
  });

  it('is the higher level alone where that is the first seen', () => {
    reporter.reportSlots(97, 100);
    assert.deepEqual(told, ['p0 warning PoolSlotsNearlyUsedUp']);
  });

  for (const [code, health] of [['DAMAGED', 'damaged'], ['FOREIGN', 'foreign'], ['DEVICE', 'unavailable'], ['CLAIMED', 'unavailable']] as const) {
    it(`is ${health} after ${code}`, () => assert.equal(healthAfter(new FamfsError(code, 'x'), undefined, 'c'), health));
  }
});
