import assert from 'node:assert/strict';
import { fulfils, mountOptions } from '../../../src/node/mount-options.ts';

describe('mount options', () => {
  for (const [readonly, flags, expected] of [
    [false, [], ['nosuid', 'nodev', 'rw']],
    [true, [], ['nosuid', 'nodev', 'ro']],
    [true, ['rw'], ['nosuid', 'nodev', 'ro']],
    [false, ['noexec', 'noatime', 'nodev'], ['noexec', 'noatime', 'nodev', 'nosuid', 'rw']],
  ] as const) {
    it(`${readonly ? 'read-only' : 'writable'} with [${flags.join()}]: ${expected.join()}`, () => {
      assert.deepEqual(mountOptions({ readonly, flags }), expected);
      assert.ok(fulfils(new Set(expected), { readonly, flags }));
      assert.ok(!fulfils(new Set(expected), { readonly: !readonly, flags }));
    });
  }
});
