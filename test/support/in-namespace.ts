/** Run inside an ordinary user's own user and mount namespace: mounts a pool there, and uses it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { mountPool } from '../../src/famfs/fuse/session/session.ts';

const [device, directory, hostDirectory] = process.argv.slice(2);
const session = await mountPool({ device, directory, hostDirectory });
try {
  const fd = fs.openSync(`${directory}/vol/data`, 'r+');
  fs.writeSync(fd, 'by an ordinary user', 0);
  fs.closeSync(fd);
  assert.match(fs.readFileSync(`${directory}/vol/data`, 'latin1'), /^by an ordinary user/);
  fs.chmodSync(`${directory}/vol/data`, 0o600);
  assert.equal(fs.statSync(`${directory}/vol/data`).mode, 0o100600);
  assert.deepEqual(fs.readdirSync(`${directory}/vol`), ['data']);
  assert.throws(() => fs.mkdirSync(`${directory}/new`), { code: 'EPERM' });
} finally {
  await session.unmount();
}
assert.deepEqual(await session.closed, {});
console.log('an ordinary user has mounted, written, read and unmounted');
