import assert from 'node:assert/strict';
import { readAsReference } from '../support/reference-reader.ts';
import { vector, vectorNames } from '../support/vectors.ts';

const LOG_AT = 0x200000;
/** Zero bytes behind the stored entries, for counters that point past them. */
const BEHIND = 4096;
/** Of impossible entries the reference makes files all the same: those it counts otherwise. */
const impossible = ['e-edge', 'e-dotdot'];

describe('the independent decoder judges bytes of the reference tools as they did', () => {
  for (const name of vectorNames) {
    it(name, () => {
      const { superblock, log, json: { reference } } = vector(name);
      const device = Buffer.alloc(LOG_AT + log.length + BEHIND);
      superblock.copy(device);
      log.copy(device, LOG_AT);
      const { refused, files, directories, bad, errors, collisions } = readAsReference(device);
      assert.equal(refused !== undefined || bad.length > 0, reference.shadow_replay_rc === -1, refused);
      if (refused !== undefined) return;
      assert.equal(collisions, reference.fsck_scan_rc);
      if (bad.length > 0 || impossible.includes(name)) return;
      assert.deepEqual({ files: files.length, directories: directories.length, errors }, {
        files: reference.replay_new_files, directories: reference.replay_new_dirs, errors: [],
      });
    });
  }
});
