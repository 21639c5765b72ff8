/** The fd store of a host, and what others may say to it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openFuse } from '../../src/famfs/fuse/mount/fuse-device.ts';
import { mountFuse, unmountFuse } from '../../src/famfs/fuse/mount/mount.ts';
import { FdListener, FdSocket } from '../../src/famfs/fuse/session/fd-socket.ts';
import { handOverToFdStore, takeFromFdStore } from '../../src/famfs/fuse/session/fd-store-client.ts';
import { FdStore, type FdStoreAnswer, fdStoreSocket } from '../../src/famfs/fuse/session/fd-store.ts';
import { remove, tempDir } from '../harness/temp.ts';
import { until } from '../support/until.ts';

/** Long enough that a test which waits for it fails. */
const FOR_EVER_MS = 600_000;
const SOON_MS = 500;

describe('the fd store', () => {
  let hostDirectory: string;
  let socket: string;
  /** Of a mount that nobody serves. */
  let directory: string;
  let fuse: number;
  let fdStore: FdStore;
  let others: { close(): void }[];

  beforeEach(async () => {
    [hostDirectory, directory] = [tempDir('fd-store'), tempDir('held')];
    socket = fdStoreSocket(hostDirectory);
    fuse = openFuse();
    await mountFuse(fuse, directory, 'a-pool', false);
    fdStore = newStore();
    others = [];
  });

  afterEach(async () => {
    for (const each of [fdStore, ...others]) each.close();
    await unmountFuse(directory, { lazy: true, force: true });
    fs.closeSync(fuse);
    for (const each of [directory, hostDirectory]) remove(each);
  });

  const newStore = () => new FdStore({ hostDirectory, onEvent: () => undefined });

  /** Says something to whoever listens, and answers what comes back; undefined when nothing does. */
  async function say(value: unknown, fd?: number): Promise<FdStoreAnswer | undefined> {
    const connection = FdSocket.connect(socket);
    try {
      connection.send(fd === undefined ? { value } : { value, fd });
      return (await connection.receive(5000)).value as FdStoreAnswer;
    } catch {
      return undefined;
    } finally {
      connection.close();
    }
  }

  /** Brings the mount's descriptor, as a supervisor does. */
  const bring = async (supervisor: string) => assert.deepEqual(await say({ ask: 'hold', session: 's', supervisor }, fuse), { have: ['s'] });

  async function assertHeld(): Promise<void> {
    fs.closeSync(await takeFromFdStore(socket, 's'));
  }

  it('holds nothing of what makes no sense, and keeps none of the files that came with it', async () => {
    const other = fs.openSync('/dev/null', 'r');
    const unmounted = openFuse();
    const before = openFiles();
    const nonsense: [unknown, number?][] = [
      [null], [7], ['hold'], [[]], [{}], [{ ask: 'give' }], [{ ask: 'stay', sessions: 's' }], [{ ask: 'stay' }, fuse],
      [{ ask: 'hold', session: 's', supervisor: 'a' }], [{ ask: 'hold', session: 's', supervisor: 'a' }, other],
      [{ ask: 'hold', session: 's', supervisor: 'a' }, unmounted], [{ ask: 'take', session: { toString: 1 } }, fuse], [null, fuse],
    ];
    for (const [value, fd] of nonsense) {
      const answer = await say(value, fd);
      assert.ok(answer === undefined || answer.have.length === 0, JSON.stringify(value));
    }
    FdSocket.connect(socket).close(); // and who says nothing
    await until(() => assert.deepEqual(openFiles(), before));
    assert.deepEqual(fdStore.sessions, []);
    for (const each of [other, unmounted]) fs.closeSync(each);
    await bring('a');
    await assertHeld();
  });

  it('keeps one file of a session, however often it is brought', async () => {
    await bring('a');
    const before = openFiles();
    for (let time = 0; time < 20; time++) await bring(`supervisor ${time % 3}`);
    await until(() => assert.deepEqual(openFiles(), before));
  });

  it('takes its socket back from one that is gone, and not from one that answers', async () => {
    await bring('a');
    const gone = new FdListener(socket);
    gone.close();
    fdStore.sweep();
    await assertHeld();
    const living = newStore();
    others.push(living);
    fdStore.sweep();
    await bring('a');
    assert.deepEqual(living.sessions, ['s']);
  });

  it('leaves at once where its successor answers', async () => {
    await bring('a');
    others.push(newStore());
    await fdStore.leave(FOR_EVER_MS);
    assert.deepEqual(fdStore.sessions, []);
  });

  it('leaves when every session was brought again, and not before', async () => {
    await bring('a');
    let hasLeft = false;
    const leaving = fdStore.leave(FOR_EVER_MS).then(() => { hasLeft = true; });
    await sleep(SOON_MS);
    assert.ok(!hasLeft);
    await bring('a');
    await leaving;
  });

  it('that has promised to stay is not sent away by the supervisor that is about to end', async () => {
    await bring('a');
    assert.deepEqual(await handOverToFdStore(socket, ['s'], SOON_MS), []);
    let hasLeft = false;
    const leaving = fdStore.leave(FOR_EVER_MS).then(() => { hasLeft = true; });
    await sleep(SOON_MS);
    await bring('a');
    await sleep(SOON_MS);
    assert.ok(!hasLeft);
    await assertHeld();
    await bring('b');
    await leaving;
  });

  it('promises nothing for a session that it does not have', async () => {
    await bring('a');
    assert.deepEqual(await handOverToFdStore(socket, ['s', 't'], SOON_MS), ['t']);
  });
});

/** What this process has open, without what is only open to look at it. */
function openFiles(): string[] {
  return fs.readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [fs.readlinkSync(`/proc/self/fd/${fd}`)];
    } catch {
      return [];
    }
  }).filter((file) => !file.startsWith('/proc/')).sort();
}
