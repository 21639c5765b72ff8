import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { silentLog } from '../../../src/csi/log.ts';
import { clusterUuid, openDirectoryState } from '../../../src/state/directory.ts';

describe('state directory', () => {
  let folder: string;
  beforeEach(() => { folder = fs.mkdtempSync(path.join(os.tmpdir(), 'famfs-state-')); });
  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  const record = (node: string, epoch = 1) =>
    ({ directory: 'pool/v', epoch, attachments: [{ volume: 'pool/v', node, mode: 'MULTI_NODE_MULTI_WRITER', readonly: false }] }) as const;

  it('has one cluster UUID, also for two first users at once', async () => {
    const inner = path.join(folder, 'new');
    const uuids = await Promise.all(Array.from({ length: 8 }, () => clusterUuid(inner)));
    assert.equal(new Set(uuids).size, 1);
    assert.match(uuids[0]!, /^[0-9a-f-]{36}$/);
    assert.deepEqual(fs.readdirSync(inner), ['cluster-uuid']);
  });

  it('refuses a cluster UUID that is none, naming it', async () => {
    fs.writeFileSync(path.join(folder, 'cluster-uuid'), 'nonsense\n');
    await assert.rejects(clusterUuid(folder), /"nonsense"/);
  });

  it('is for its owner alone, with all that it holds, also where an earlier version has made it', async () => {
    const [inner, members] = [path.join(folder, 'new'), path.join(folder, 'new/members')];
    fs.mkdirSync(members, { recursive: true, mode: 0o755 });
    await clusterUuid(inner);
    await openDirectoryState(inner, silentLog()).nodes.announce({ node: 'a', pools: [] });
    assert.deepEqual([inner, members, path.join(inner, 'nodes')].map((path) => fs.statSync(path).mode & 0o777), [0o700, 0o700, 0o700]);
  });

  describe('attachments', () => {
    it('are kept, listed and removed', async () => {
      const { attachments } = openDirectoryState(folder, silentLog());
      assert.equal(await attachments.get('pool/v'), undefined);
      assert.deepEqual(await attachments.list(), []);
      assert.ok(await attachments.replace(record('a'), undefined));
      const again = openDirectoryState(folder, silentLog()).attachments;
      assert.deepEqual((await again.get('pool/v'))?.value, record('a'));
      assert.deepEqual(await again.list(), [record('a')]);
      const { version } = (await again.get('pool/v'))!;
      assert.ok(await again.replace({ ...record('a'), attachments: [] }, version));
      assert.equal(await attachments.get('pool/v'), undefined);
    });

    it('are not replaced by who read an older version, even one that came back', async () => {
      const { attachments } = openDirectoryState(folder, silentLog());
      assert.ok(await attachments.replace(record('a'), undefined));
      assert.ok(!await attachments.replace(record('b'), undefined));
      const { version } = (await attachments.get('pool/v'))!;
      assert.ok(await attachments.replace({ ...record('a'), attachments: [] }, version));
      assert.ok(await attachments.replace(record('a'), undefined));
      assert.ok(!await attachments.replace(record('b'), version));
      assert.deepEqual((await attachments.get('pool/v'))?.value, record('a'));
    });

    it('let exactly one of several win', async () => {
      const { attachments } = openDirectoryState(folder, silentLog());
      const won = await Promise.all(['a', 'b', 'c', 'd'].map((node) => attachments.replace(record(node), undefined)));
      assert.equal(won.filter(Boolean).length, 1);
    });

    it('are not replaced by a controller of an older epoch', async () => {
      const { attachments } = openDirectoryState(folder, silentLog());
      assert.ok(await attachments.replace(record('a', 7), undefined));
      assert.ok(!await attachments.replace(record('b', 6), (await attachments.get('pool/v'))!.version));
    });

    it('name the file that is damaged', async () => {
      const { attachments } = openDirectoryState(folder, silentLog());
      await attachments.replace(record('a'), undefined);
      const file = fs.readdirSync(path.join(folder, 'attachments'))[0]!;
      fs.writeFileSync(path.join(folder, 'attachments', file), '{"vol');
      await assert.rejects(attachments.get('pool/v'), new RegExp(file));
    });
  });

  it('keeps members by pool and host', async () => {
    const { members } = openDirectoryState(folder, silentLog());
    await members.register({ pool: 'p', host: 'a', bootId: '1' });
    await members.register({ pool: 'p', host: 'a', bootId: '2' });
    await members.register({ pool: 'p', host: 'b', bootId: '1' });
    await members.register({ pool: 'q', host: 'a', bootId: '1' });
    const hosts = (await members.list('p')).map(({ host, bootId }) => `${host}${bootId}`).sort();
    assert.deepEqual(hosts, ['a2', 'b1']);
    await members.leave('p', 'a');
    await members.leave('p', 'a');
    assert.deepEqual((await members.list('p')).map(({ host }) => host), ['b']);
  });

  it('knows the nodes that announced themselves, whatever they are called', async () => {
    const { nodes } = openDirectoryState(folder, silentLog());
    const hostile = '../../../etc/passwd';
    assert.ok(!await nodes.has('a'));
    await nodes.announce({ node: hostile, pools: [] });
    assert.ok(await nodes.has(hostile) && !await nodes.has('a'));
    assert.deepEqual(fs.readdirSync(folder), ['nodes']);
  });
});
