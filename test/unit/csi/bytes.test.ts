import assert from 'node:assert/strict';
import { formatBytes, parseBytes } from '../../../src/csi/bytes.ts';

describe('sizes', () => {
  for (const [text, bytes] of [
    ['64MiB', 2 ** 26], ['1Gi', 2 ** 30], ['8m', 2 ** 23], ['12', 12], ['1.5k', 1536], ['', undefined], ['-1', undefined],
    ['1x', undefined], ['9999999Ti', undefined],
  ] as const) {
    it(`reads ${JSON.stringify(text)}`, () => assert.equal(parseBytes(text), bytes));
  }

  for (const [bytes, text] of [[0, '0'], [2 ** 30 * 10, '10Gi'], [2 ** 20 * 1.5, '1.5Mi'], [2 ** 30 - 1, '1023.99Mi'], [2n ** 61n, '2048Pi']] as const) {
    it(`writes ${bytes}`, () => assert.equal(formatBytes(bytes), text));
  }
});
