/** A node plugin and its kubelet, and what the roles tell of themselves over HTTP. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MIB } from '../../src/famfs/units.ts';
import { type Role, startRole, stopRole, untilServing } from '../demo/host.ts';
import { program } from '../harness/paths.ts';
import { tempDir } from '../harness/temp.ts';
import { askRole, freePort } from '../support/http-role.ts';
import { Kubelet } from '../support/kubelet.ts';
import { PoolFixture } from '../support/pool-fixture.ts';
import { until } from '../support/until.ts';

const SOCKET = 'famfs.example.org-reg.sock';

describe('a node plugin and its kubelet', () => {
  const directory = tempDir('kubelet');
  const kubelet = new Kubelet(join(directory, 'plugins_registry'));
  const endpoint = join(directory, 'plugins', 'csi.sock');
  const fusedSocket = join(directory, 'fused.sock');
  const poolsFile = join(directory, 'pools.json');
  const roles: Role[] = [];
  let pools: PoolFixture[];
  let ports: { node: number; fused: number };
  let node: Role;
  let fused: Role;

  const configure = (...chosen: PoolFixture[]) => writeFileSync(poolsFile, JSON.stringify({
    pools: chosen.map((pool) => ({ name: `p${pools.indexOf(pool)}`, device: pool.path })),
  }));
  const uuids = (...chosen: PoolFixture[]) => chosen.map(({ uuid }) => uuid).sort();

  function start(name: 'node' | 'fused'): Role {
    const role = startRole(name, [], [
      program, name, '--pools-file', poolsFile, '--state-dir', join(directory, 'state'), '--host-dir', directory,
      '--node-id', 'worker', '--driver-name', 'famfs.example.org', '--endpoint', `unix://${endpoint}`,
      '--fused-endpoint', `unix://${fusedSocket}`, '--registration-dir', kubelet.directory, '--http-port', String(ports[name]),
    ], join(directory, `${name}-${roles.length}.log`));
    roles.push(role);
    return role;
  }

  const ask = (role: 'node' | 'fused', path: string) => askRole(ports[role], path);

  before(async () => {
    mkdirSync(kubelet.directory);
    pools = [await PoolFixture.make(64 * MIB), await PoolFixture.make(64 * MIB)];
    ports = { node: await freePort(), fused: await freePort() };
    configure(pools[0]!);
  });

  after(async () => {
    const problems = await Promise.all(roles.filter(({ child }) => child.signalCode !== 'SIGKILL').map(stopRole));
    for (const pool of pools) pool.close();
    assert.deepEqual(problems.filter((problem) => problem !== undefined), []);
  });

  it('is alive but not ready, and not registered, while there is no data plane', async () => {
    node = start('node');
    assert.deepEqual(await until(() => ask('node', '/healthz')), { code: 200, text: 'ok\n' });
    await until(async () => {
      const { code, text } = await ask('node', '/readyz');
      assert.equal(code, 503);
      assert.match(text, /data plane: it does not answer/);
    });
    assert.deepEqual([...kubelet.sockets()], []);
  });

  it('registers when it serves: name, socket and pools', async () => {
    fused = start('fused');
    await until(() => assert.ok(kubelet.sockets().has(SOCKET)));
    const { plugin, node: info, pools: reached } = await kubelet.register(SOCKET);
    assert.deepEqual(plugin, { type: 'CSIPlugin', name: 'famfs.example.org', endpoint, supported_versions: ['1.0.0'] });
    assert.deepEqual([info.node_id, info.max_volumes_per_node], ['worker', '0']);
    assert.deepEqual(reached, uuids(pools[0]!));
    await until(async () => assert.deepEqual(await ask('node', '/readyz'), { code: 200, text: 'ok\n' }));
  });

  it('tells metrics of its calls and its host', async () => {
    const { text } = await ask('node', '/metrics');
    assert.match(text, /^famfs_csi_call_seconds_count\{method="NodeGetInfo",code="OK"\} 1$/m);
    assert.match(text, /^famfs_node_registered 1$/m);
    assert.match(text, /^famfs_node_staged_volumes 0$/m);
    assert.match(text, /^process_cpu_seconds_total /m);
    assert.match((await ask('fused', '/metrics')).text, /^famfs_session_mounted\{pool="p0"\} 0$/m);
    assert.equal((await ask('fused', '/readyz')).code, 200);
  });

  it('registers anew when the host gains or loses a pool, and only then', async () => {
    let before = kubelet.sockets().get(SOCKET);
    const changed = () => until(() => {
      const now = kubelet.sockets().get(SOCKET);
      assert.ok(now !== undefined && now !== before);
    });
    configure(pools[0]!, pools[1]!);
    await changed();
    assert.match((await ask('node', '/readyz')).text, /kubelet: it has not registered this plugin yet/);
    assert.deepEqual((await kubelet.register(SOCKET)).pools, uuids(...pools));

    before = kubelet.sockets().get(SOCKET);
    assert.equal(await stopRole(fused), undefined);
    await until(async () => assert.match((await ask('node', '/readyz')).text, /data plane: it does not answer/));
    assert.deepEqual((await kubelet.register(SOCKET)).pools, uuids(...pools), 'what it knew last, while nobody can tell');
    fused = start('fused');
    await until(async () => assert.equal((await ask('node', '/readyz')).code, 200));
    assert.equal(kubelet.sockets().get(SOCKET), before, 'a data plane that was away has changed nothing');

    configure(pools[1]!);
    await changed();
    assert.deepEqual((await kubelet.register(SOCKET)).pools, uuids(pools[1]!));
  });

  it('says that the kubelet has refused it', async () => {
    await kubelet.register(SOCKET, 'no room for you');
    assert.match((await ask('node', '/readyz')).text, /kubelet: it has refused this plugin: no room for you/);
    assert.match((await ask('node', '/metrics')).text, /^famfs_node_registered 0$/m);
    await kubelet.register(SOCKET);
    assert.equal((await ask('node', '/readyz')).code, 200);
  });

  it('takes its socket away when it ends, and one that a killed predecessor left', async () => {
    node.child.kill('SIGKILL');
    await until(() => assert.equal(node.child.signalCode, 'SIGKILL'));
    assert.ok(kubelet.sockets().has(SOCKET));
    assert.equal(await stopRole(fused), undefined);
    node = start('node');
    await until(async () => assert.match((await ask('node', '/readyz')).text, /kubelet/));
    assert.deepEqual([...kubelet.sockets()], [], 'nobody answers there, with no data plane');

    fused = start('fused');
    await until(() => assert.ok(kubelet.sockets().has(SOCKET)));
    await untilServing(node, endpoint);
    assert.equal(await stopRole(node), undefined);
    assert.deepEqual([...kubelet.sockets()], []);
    assert.equal(existsSync(endpoint), false);
  });
});
