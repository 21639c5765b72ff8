import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { followPoolsFile } from '../../../src/csi/follow-pools-file.ts';
import { silentLog } from '../../../src/csi/log.ts';
import { type PoolConfig, readPoolsFile } from '../../../src/csi/pool-config.ts';
import { tempDir } from '../../harness/temp.ts';
import { until } from '../../support/until.ts';

describe('a followed pools file', () => {
  /** A directory as the kubelet mounts a ConfigMap: its files are links through one that is replaced. */
  const directory = tempDir('configmap');
  const file = path.join(directory, 'pools.json');
  const log = silentLog();
  const complaints: string[] = [];
  const seen: string[] = [];
  let versions = 0;
  let stop: AbortController;
  let following: Promise<void>;

  function publish(text: string): void {
    const version = path.join(directory, `..v${++versions}`);
    fs.mkdirSync(version);
    fs.writeFileSync(path.join(version, 'pools.json'), text);
    fs.symlinkSync(path.basename(version), path.join(directory, '..tmp'));
    fs.renameSync(path.join(directory, '..tmp'), path.join(directory, '..data'));
  }
  const pools = (...names: string[]) => JSON.stringify({ pools: names.map((name) => ({ name, device: `/dev/${name}` })) });

  before(() => {
    log.error = ((_message: string, { reason }: { reason: string }) => complaints.push(reason)) as never;
    publish(pools('a'));
    fs.symlinkSync('..data/pools.json', file);
    stop = new AbortController();
    const changed = (now: readonly PoolConfig[]) => void seen.push(now.map(({ name }) => name).join());
    following = followPoolsFile(file, { pools: readPoolsFile(file), log, signal: stop.signal, pollMs: 2 }, changed);
  });

  after(async () => {
    stop.abort();
    await following;
  });

  it('tells each new content once', async () => {
    publish(`${pools('a')}\n`);
    publish(pools('a', 'b'));
    await until(() => assert.deepEqual(seen, ['a,b']));
    publish(pools('b'));
    await until(() => assert.deepEqual(seen, ['a,b', 'b']));
  });

  for (const [what, text, complaint] of [
    ['no JSON', '{', /pools file .*pools\.json: .*JSON/],
    ['no pool', '{"pools": []}', /names no pool/],
    ['a key that nobody knows', '{"pools": [{"name": "x", "device": "/x", "formt": "never"}]}', /unknown key "formt"/],
  ] as const) {
    it(`is not taken with ${what}, which is said once`, async () => {
      complaints.length = 0;
      const before = seen.length;
      publish(text);
      await until(() => assert.equal(complaints.length, 1));
      assert.match(complaints[0]!, complaint);
      publish(pools('b'));
      publish(pools('c', `d${versions}`));
      await until(() => assert.equal(seen.length, before + 1));
      assert.equal(complaints.length, 1);
      publish(pools('b'));
      await until(() => assert.equal(seen.length, before + 2));
    });
  }

  it('may be away for a while', async () => {
    complaints.length = 0;
    fs.renameSync(file, `${file}.away`);
    await until(() => assert.match(complaints.join(), /ENOENT/));
    fs.renameSync(`${file}.away`, file);
    const before = seen.length;
    publish(pools('back'));
    await until(() => assert.deepEqual(seen.slice(before), ['back']));
  });
});
