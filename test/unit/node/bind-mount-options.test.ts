import assert from 'node:assert/strict';
import { bindMountOptions, matchesSpec } from '../../../src/node/bind-mount-options.ts';

describe('mount options', () => {
  for (const [readonly, flags, expected] of [
    [false, [], ['nosuid', 'nodev', 'rw']],
    [true, [], ['nosuid', 'nodev', 'ro']],
    [true, ['rw'], ['nosuid', 'nodev', 'ro']],
    [false, ['noexec', 'noatime', 'nodev'], ['noexec', 'noatime', 'nodev', 'nosuid', 'rw']],
  ] as const) {
    it(`${readonly ? 'read-only' : 'writable'} with [${flags.join()}]: ${expected.join()}`, () => {
      assert.deepEqual(bindMountOptions({ readonly, flags }), expected);
      assert.ok(matchesSpec(new Set(expected), { readonly, flags }));
      assert.ok(!matchesSpec(new Set(expected), { readonly: !readonly, flags }));
    });
  }
});
