import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { isReaderOnly, isSingleTarget, parseAccess } from '../../../src/csi/capabilities.ts';
import type { VolumeCapability__Output } from '../../../src/generated/csi/v1/VolumeCapability.ts';

function capability(mount: Partial<NonNullable<VolumeCapability__Output['mount']>> = {}): VolumeCapability__Output {
  return {
    access_mode: { mode: 'MULTI_NODE_MULTI_WRITER' }, access_type: 'mount',
    mount: { fs_type: '', mount_flags: [], volume_mount_group: '', ...mount },
  };
}

describe('volume capabilities', () => {
  it('are read with their options', () => {
    assert.deepEqual(parseAccess(capability({ fs_type: 'famfs', mount_flags: ['noexec'], volume_mount_group: '2000' })),
      { mode: 'MULTI_NODE_MULTI_WRITER', mountFlags: ['noexec'], group: 2000 });
    assert.deepEqual(parseAccess(capability()), { mode: 'MULTI_NODE_MULTI_WRITER', mountFlags: [] });
  });

  for (const [what, value, named] of [
    ['none', null, /volume_capability/],
    ['no access mode', { ...capability(), access_mode: null }, /access_mode/],
    ['an unknown access mode', { ...capability(), access_mode: { mode: 'UNKNOWN' } }, /access_mode/],
    ['no access type', { access_mode: { mode: 'SINGLE_NODE_WRITER' } }, /access_type/],
    ['block', { access_mode: { mode: 'SINGLE_NODE_WRITER' }, access_type: 'block', block: {} }, /block/],
    ['another file system', capability({ fs_type: 'ext4' }), /"ext4"/],
    ['a flag that would lift our protection', capability({ mount_flags: ['noexec', 'suid'] }), /"suid"/],
    ['a flag that hides another', capability({ mount_flags: ['noexec,suid'] }), /"noexec,suid"/],
    ['a group by name', capability({ volume_mount_group: 'users' }), /"users"/],
  ] as const) {
    it(`refuses ${what}, naming it`, () => {
      assert.throws(() => parseAccess(value as VolumeCapability__Output | null),
        (error: { code: number; message: string }) => error.code === status.INVALID_ARGUMENT && named.test(error.message));
    });
  }

  it('know what modes mean', () => {
    assert.ok(isReaderOnly('MULTI_NODE_READER_ONLY') && !isReaderOnly('MULTI_NODE_MULTI_WRITER'));
    assert.ok(isSingleTarget('SINGLE_NODE_SINGLE_WRITER') && isSingleTarget('SINGLE_NODE_WRITER'));
    assert.ok(!isSingleTarget('SINGLE_NODE_MULTI_WRITER') && !isSingleTarget('MULTI_NODE_SINGLE_WRITER'));
  });
});
