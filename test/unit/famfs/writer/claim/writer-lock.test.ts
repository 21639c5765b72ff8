import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { tryLock } from '../../../../../src/famfs/device/libc.ts';
import { openHostDirectory } from '../../../../../src/famfs/private-folder.ts';
import { lockIsFree, WriterLock } from '../../../../../src/famfs/writer/claim/writer-lock.ts';
import { tempDir } from '../../../../harness/temp.ts';
import { asOtherUser, manyUsers } from '../../../../support/other-user.ts';

describe('the lock of a writer', () => {
  let host: string;
  beforeEach(() => {
    host = tempDir('host');
    fs.chmodSync(host, 0o755);
  });

  const onlyLockIn = (directory: string) => join(directory, 'writers', fs.readdirSync(join(directory, 'writers'))[0]!);
  const lockAsOther = (file: string) => asOtherUser('flock', ['-n', '-s', file, 'echo', 'locked']).said;

  it('can be had by no other user of the host, so that none makes a dead writer look alive', function () {
    if (!manyUsers()) this.skip();
    const lock = new WriterLock('host', host);
    const file = onlyLockIn(host);
    assert.deepEqual([fs.statSync(file).mode & 0o777, fs.statSync(join(host, 'writers')).mode & 0o777], [0o600, 0o700]);
    assert.match(lockAsOther(file), /Permission denied/);
    assert.ok(!lockIsFree(lock.holder, host));
    lock.release();
  });

  it('that an earlier version has left is taken from other users at start', function () {
    if (!manyUsers()) this.skip();
    const file = join(host, 'writers', '0123456789abcdef.lock');
    fs.mkdirSync(join(host, 'writers'), { mode: 0o755 });
    fs.writeFileSync(file, '', { mode: 0o644 });
    assert.equal(lockAsOther(file), 'locked\n');
    openHostDirectory(host);
    assert.match(lockAsOther(file), /Permission denied/);
    assert.ok(lockIsFree('host/0123456789abcdef', host));
  });

  it('is not free where nobody can tell', () => {
    assert.ok(!lockIsFree('host/0123456789abcdef', host), 'no such file');
  });
});

describe('tryLock', () => {
  it('tells a lock that another has from one that cannot be had', () => {
    const file = join(tempDir('lock'), 'file');
    const [first, second] = [fs.openSync(file, 'a'), fs.openSync(file, 'a')];
    const mere = fs.openSync(file, 0o10000000); // O_PATH: it can be asked where it is, and nothing else
    try {
      assert.ok(tryLock(first, 'exclusive'));
      assert.ok(!tryLock(second, 'shared'));
      assert.throws(() => tryLock(mere, 'shared'), { code: 'DEVICE', message: /file cannot be locked: EBADF/ });
    } finally {
      for (const fd of [first, second, mere]) fs.closeSync(fd);
    }
  });
});
