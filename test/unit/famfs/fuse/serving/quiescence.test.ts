import assert from 'node:assert/strict';
import { QuiescentPoint, RequestParity } from '../../../../../src/famfs/fuse/serving/quiescence.ts';

describe('a quiescent point', () => {
  let parity: RequestParity;
  let point: QuiescentPoint;

  beforeEach(() => {
    parity = RequestParity.of(2);
    point = new QuiescentPoint(new RequestParity(parity.shared));
  });

  it('is passed at once by workers that serve nothing, and told once', () => {
    assert.equal(point.passed(7n), 7n);
    assert.equal(point.passed(7n), undefined);
    assert.equal(point.passed(8n), 8n);
  });

  it('waits for a worker in the middle of a request', () => {
    parity.flip(1);
    assert.equal(point.passed(7n), undefined);
    assert.equal(point.passed(7n), undefined);
    parity.flip(1);
    assert.equal(point.passed(7n), 7n);
  });

  it('is passed by a worker that is at another request since', () => {
    parity.flip(0);
    assert.equal(point.passed(7n), undefined);
    parity.flip(0);
    parity.flip(0);
    assert.equal(point.passed(7n), 7n);
  });

  it('of a change that came meanwhile is another one', () => {
    parity.flip(0);
    assert.equal(point.passed(7n), undefined);
    assert.equal(point.passed(8n), undefined);
    parity.flip(0);
    parity.flip(0);
    assert.equal(point.passed(8n), 7n, 'only what was asked for before the request');
    assert.equal(point.passed(8n), undefined);
    parity.flip(0);
    assert.equal(point.passed(8n), 8n);
  });
});
