import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { formatToken, parseToken } from '../../../src/controller/page-token.ts';

describe('page tokens', () => {
  const position = { pool: '0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0', node: 12345 };

  it('come back as they went', () => assert.deepEqual(parseToken(formatToken(position)), position));

  for (const handle of [`${position.pool}/models/Größe: 1`, `${position.pool}/models//team-b`]) {
    it(`come back as they went behind ${handle}`, () => assert.deepEqual(parseToken(formatToken({ attached: handle })), { attached: handle }));
  }

  for (const token of ['invalid-token', '1', `${position.pool}`, `${position.pool}:`, `${position.pool}:-1`, `${position.pool}:1x`, 'attached:', 'attached:nonsense', `attached:${position.pool}/..`]) {
    it(`${token} is ABORTED`, () => assert.throws(() => parseToken(token), { code: status.ABORTED }));
  }
});
