import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { isServed, sessionLockFile } from '../../../../../src/famfs/fuse/session/session-lock.ts';
import { servedRecords, supervisedRecords } from '../../../../../src/famfs/fuse/session/session-record.ts';
import { tempDir } from '../../../../harness/temp.ts';

describe('the sessions of a host', () => {
  it('are told as a whole or not at all: one that cannot be read is not one that has ended', () => {
    const hostDirectory = tempDir('host');
    assert.deepEqual(servedRecords(hostDirectory), []);
    fs.mkdirSync(join(hostDirectory, 'sessions/unreadable.json'), { recursive: true });
    for (const records of [servedRecords, supervisedRecords]) assert.throws(() => records(hostDirectory), { code: 'EISDIR' });
  });

  it('count as served unless their locks are known to be free', () => {
    const hostDirectory = tempDir('host');
    assert.equal(isServed(hostDirectory, 'gone'), false);
    fs.mkdirSync(join(hostDirectory, 'sessions'));
    fs.symlinkSync('unreadable.lock', sessionLockFile(hostDirectory, 'unreadable'));
    assert.throws(() => isServed(hostDirectory, 'unreadable'), { code: 'ELOOP' });
  });
});
