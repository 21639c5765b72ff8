import assert from 'node:assert/strict';
import { redact } from '../../../../src/csi/server/redact.ts';

describe('redact', () => {
  it('hides secrets at any depth and nothing else', () => {
    const request = { name: 'v', secrets: { user: 'u', password: 'p' }, inner: [{ secrets: { a: 'b' }, kept: 1 }], none: null };
    assert.deepEqual(redact(request), { name: 'v', secrets: '***', inner: [{ secrets: '***', kept: 1 }], none: null });
    assert.equal(request.secrets.password, 'p');
  });
});
