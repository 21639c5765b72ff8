import assert from 'node:assert/strict';
import { QuiescentPoint, Turns } from '../../../../../src/famfs/fuse/serving/quiescence.ts';

describe('a quiescent point', () => {
  let turns: Turns;
  let point: QuiescentPoint;

  beforeEach(() => {
    turns = Turns.of(2);
    point = new QuiescentPoint(new Turns(turns.shared));
  });

  it('is passed at once by workers that serve nothing, and told once', () => {
    assert.equal(point.passed(7n), 7n);
    assert.equal(point.passed(7n), undefined);
    assert.equal(point.passed(8n), 8n);
  });

  it('waits for a worker in the middle of a request', () => {
    turns.step(1);
    assert.equal(point.passed(7n), undefined);
    assert.equal(point.passed(7n), undefined);
    turns.step(1);
    assert.equal(point.passed(7n), 7n);
  });

  it('is passed by a worker that is at another request since', () => {
    turns.step(0);
    assert.equal(point.passed(7n), undefined);
    turns.step(0);
    turns.step(0);
    assert.equal(point.passed(7n), 7n);
  });

  it('of a change that came meanwhile is another one', () => {
    turns.step(0);
    assert.equal(point.passed(7n), undefined);
    assert.equal(point.passed(8n), undefined);
    turns.step(0);
    turns.step(0);
    assert.equal(point.passed(8n), 7n, 'only what was asked for before the request');
    assert.equal(point.passed(8n), undefined);
    turns.step(0);
    assert.equal(point.passed(8n), 8n);
  });
});
