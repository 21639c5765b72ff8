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

  it('is no more than twenty changes at once and then one each minute, the last one among them', () => {
    let now = 0;
    const messages: string[] = [];
    const busy = new PoolReporter('p0', { volume: () => undefined, pool: ({ reason, message }) => void messages.push(`${reason} ${message}`) }, () => now);
    for (let second = 0; second < 3600; second++, now += 1000) {
      if (second % 2 === 0) busy.reportProblem('damaged', `state word ${second}`);
      else busy.reportAvailable();
    }
    assert.ok(messages.length <= 20 + 60, String(messages.length));
    assert.equal(busy.health, 'ok');
    for (let second = 0; second < 120; second++, now += 1000) busy.reportProblem('damaged', 'to stay');
    assert.deepEqual(messages.filter((message) => message === 'PoolDamaged to stay').length, 1);
    assert.equal(messages.at(-1), 'PoolDamaged to stay');
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
