import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { makePrivateFolder, openHostDirectory } from '../../../src/famfs/private-folder.ts';
import { tempDir } from '../../harness/temp.ts';
import { asOtherUser, manyUsers } from '../../support/other-user.ts';

describe('folders of a host', () => {
  let host: string;
  beforeEach(() => {
    host = join(tempDir('private'), 'run');
  });

  const mode = (path: string) => fs.lstatSync(path).mode & 0o777;
  /** A folder as earlier versions made it, with a file that everybody may read. */
  function folder(name: string): string {
    const path = join(host, name);
    fs.mkdirSync(path, { recursive: true, mode: 0o755 });
    fs.writeFileSync(join(path, 'file'), '');
    return path;
  }

  it('are made for their owner alone, all the way', () => {
    makePrivateFolder(join(host, 'sessions'));
    assert.deepEqual([mode(host), mode(join(host, 'sessions'))], [0o700, 0o700]);
  });

  it('of an earlier version are narrowed at start, with the files in them', () => {
    const folders = ['mounts', 'sessions', 'writers', 'stages', 'overrides'].map(folder);
    fs.writeFileSync(join(host, 'mount.log'), '');
    openHostDirectory(host);
    assert.deepEqual([host, ...folders].map(mode), Array(6).fill(0o700));
    assert.deepEqual([join(host, 'mount.log'), ...folders.map((path) => join(path, 'file'))].map(mode), Array(6).fill(0o600));
  });

  it('are narrowed, and nothing else, in a directory that holds more than ours', () => {
    const [ours, theirs] = [folder('writers'), folder('systemd')];
    openHostDirectory(host);
    assert.deepEqual([host, theirs, join(theirs, 'file'), ours].map(mode), [0o755, 0o755, 0o644, 0o700]);
  });

  it('are not narrowed through a link, nor is a file of several names', () => {
    const elsewhere = folder('elsewhere');
    const ours = folder('writers');
    fs.symlinkSync(elsewhere, join(host, 'sessions'));
    fs.linkSync(join(elsewhere, 'file'), join(ours, 'planted'));
    openHostDirectory(host);
    assert.deepEqual([elsewhere, join(elsewhere, 'file'), ours].map(mode), [0o755, 0o644, 0o700]);
    assert.throws(() => makePrivateFolder(join(host, 'sessions')), { code: 'DEVICE', message: /sessions cannot be used: E(LOOP|NOTDIR)/ });
  });

  it('of another user are refused', function () {
    if (!manyUsers()) this.skip();
    const theirs = folder('sessions');
    fs.chownSync(theirs, 65534, 65534);
    openHostDirectory(host);
    assert.throws(() => makePrivateFolder(theirs), { code: 'DEVICE', message: /sessions cannot be used: it belongs to user 65534, not to user 0/ });
  });

  it('keep other users of the host out', function () {
    if (!manyUsers()) this.skip();
    const file = join(folder('mounts'), 'file');
    fs.chmodSync(join(host, '..'), 0o755);
    assert.equal(asOtherUser('cat', [file]).status, 0);
    openHostDirectory(host);
    assert.match(asOtherUser('cat', [file]).said, /Permission denied/);
  });
});
