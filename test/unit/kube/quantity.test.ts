import assert from 'node:assert/strict';
import { parseQuantity } from '../../../src/kube/quantity.ts';

describe('quantities of Kubernetes', () => {
  for (const [text, value] of [
    ['0', 0], ['10Gi', 10 * 2 ** 30], ['1.5Gi', 1.5 * 2 ** 30], ['100M', 1e8], ['12e6', 12e6], ['1E', 1e18], ['1E3', 1000], ['500m', 1],
    ['.5Ki', 512], ['+3', 3], ['', undefined], ['-1', undefined], ['1gi', undefined], ['1 Gi', undefined], ['Gi', undefined], ['1toString', undefined],
  ] as const) {
    it(`reads ${JSON.stringify(text)}`, () => assert.equal(parseQuantity(text), value));
  }
});
