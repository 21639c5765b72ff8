import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { parseParameters, sameParameters } from '../../../../src/controller/layout/parameters.ts';

describe('class parameters', () => {
  for (const [mode, file, directory] of [
    [undefined, 0o644, 0o755], ['0660', 0o660, 0o770], ['600', 0o600, 0o700], ['0777', 0o666, 0o777], ['0444', 0o444, 0o555],
  ] as const) {
    it(`mode ${mode ?? '(none)'} gives ${file.toString(8)} and ${directory.toString(8)}`, () => {
      const { fileMode, directoryMode } = parseParameters(mode === undefined ? {} : { mode });
      assert.deepEqual([fileMode, directoryMode], [file, directory]);
    });
  }

  it('keep what was given, without what the provisioner added', () => {
    const parameters = { pool: 'fast', uid: '1000', gid: '0', 'csi.storage.k8s.io/pvc/name': 'claim' };
    const { pool, uid, gid, given } = parseParameters(parameters);
    assert.deepEqual({ pool, uid, gid, given }, { pool: 'fast', uid: 1000, gid: 0, given: { pool: 'fast', uid: '1000', gid: '0' } });
  });

  for (const [key, value] of [
    ['size', '1'], ['Pool', 'x'], ['__proto__x', 'x'], ['constructor', 'x'], ['uid', 'root'], ['uid', '-1'], ['uid', '4294967295'],
    ['uid', ''], ['gid', '1.5'], ['gid', '0x10'], ['mode', 'rw'], ['mode', '0888'], ['mode', '4755'], ['mode', '64'],
  ] as const) {
    it(`refuse ${key}=${JSON.stringify(value)}, naming it`, () => {
      assert.throws(() => parseParameters({ [key]: value }), (error: { code: number; message: string }) =>
        error.code === status.INVALID_ARGUMENT && error.message.includes(key));
    });
  }

  it('are compared whatever their order', () => {
    assert.ok(sameParameters({ uid: '1', gid: '2' }, { gid: '2', uid: '1' }));
    assert.ok(!sameParameters({ uid: '1' }, { uid: '2' }));
    assert.ok(!sameParameters({ uid: '1' }, { uid: '1', gid: '2' }));
    assert.ok(!sameParameters({ toString: 'x' }, { uid: 'x' }));
  });
});
