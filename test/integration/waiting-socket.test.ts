/** The socket of sidecars: there from the start, and of use from the moment that the driver may act. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { refuse } from '../../src/csi/errors.ts';
import { silentLog } from '../../src/csi/log.ts';
import { csi } from '../../src/csi/server/protocols.ts';
import { SocketServer } from '../../src/csi/server/server.ts';
import { handlersOf } from '../../src/csi/server/service.ts';
import { WaitingSocket } from '../../src/csi/server/waiting-socket.ts';
import type { ControllerHandlers } from '../../src/generated/csi/v1/Controller.ts';
import { root } from '../harness/paths.ts';
import { tempDir } from '../harness/temp.ts';
import { createVolume } from '../support/csi-requests.ts';
import { plain, unary } from '../support/grpc-client.ts';

describe('the socket of sidecars', () => {
  let socket: string;
  let target: string;
  let waiting: WaitingSocket;
  let driver: SocketServer | undefined;
  let identity: InstanceType<typeof csi.Identity>;
  let client: InstanceType<typeof csi.Controller>;
  /** Lets the call that the driver is at be answered. */
  let answer: () => void;
  let isAsked: Promise<void>;

  const open = async (probeMs?: number) => {
    waiting = await WaitingSocket.open({ socket, driver: 'csi.example.org', target, ...(probeMs === undefined ? {} : { probeMs }) });
    identity = new csi.Identity(`unix://${socket}`, plain);
    client = new csi.Controller(`unix://${socket}`, plain);
  };
  /** The driver begins to answer on its own socket. */
  const lead = async () => {
    const asked = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    [isAsked, answer] = [asked.promise, answered.resolve];
    const handlers = handlersOf<ControllerHandlers>({
      GetCapacity: () => ({ available_capacity: 7 }),
      CreateVolume: () => { throw refuse.exhausted('no room, "p0" is full'); },
      ListVolumes: async () => {
        asked.resolve();
        await answered.promise;
        return { entries: [], next_token: 'more' };
      },
    }, silentLog());
    driver = await SocketServer.listen(target, (server) => server.addService(csi.Controller.service, handlers));
    await waiting.afterListening();
  };
  /** What a process is told that comes while this one is busy until it is gone. */
  const tellWhileBusy = () => {
    const { stdout, stderr } = spawnSync(process.execPath, [join(root, 'test/support/sidecar.ts'), socket], { encoding: 'utf8' });
    assert.notEqual(stdout, '', stderr);
    return JSON.parse(stdout) as unknown;
  };

  beforeEach(() => {
    const directory = tempDir('sidecars');
    socket = join(directory, 'sidecars.sock');
    target = join(directory, 'csi.sock');
  });
  afterEach(async () => {
    identity.close();
    client.close();
    await waiting.abort();
    await driver?.abort();
    driver = undefined;
  });

  it('answers that the driver is not ready, and has no controller, while the driver waits', async () => {
    await open(10);
    assert.deepEqual((await unary(identity, identity.Probe, {})).ready, { value: false });
    await assert.rejects(unary(client, client.GetCapacity, {}), { code: status.UNIMPLEMENTED });
  });

  it('lets a Probe wait, and answers it as soon as the driver is ready, on the same connection', async () => {
    await open();
    const probe = unary(identity, identity.Probe, {});
    assert.equal((await unary(identity, identity.GetPluginInfo, {})).name, 'csi.example.org'); // the Probe is there by now
    await lead();
    assert.deepEqual((await probe).ready, { value: true });
    assert.equal(Number((await unary(client, client.GetCapacity, {})).available_capacity), 7);
  });

  it('takes connections and answers what sidecars ask first, however busy the driver is', async () => {
    await open(10);
    assert.deepEqual(tellWhileBusy(), { ready: false, name: 'csi.example.org', capabilities: 0 });
    await lead();
    await unary(client, client.GetCapacity, {}); // so it is known that the driver is ready
    assert.deepEqual(tellWhileBusy(), { ready: true, name: 'csi.example.org', capabilities: 7 });
  });

  it('hands on what the driver refuses, and what it does not know', async () => {
    await open();
    await lead();
    await assert.rejects(createVolume(client, 'a'), { code: status.RESOURCE_EXHAUSTED, details: 'no room, "p0" is full' });
    await assert.rejects(unary(client, client.CreateSnapshot, {}), { code: status.UNIMPLEMENTED });
  });

  it('lets calls that are under way end, and is gone then, when the driver is to end', async () => {
    await open();
    await lead();
    const call = unary(client, client.ListVolumes, {});
    await isAsked;
    const closed = waiting.beforeClosing();
    answer();
    assert.equal((await call).next_token, 'more');
    await closed;
    assert.equal(existsSync(socket), false);
  });

  it('is gone at once when the driver may act no longer', async () => {
    await open();
    await lead();
    const call = unary(client, client.ListVolumes, {});
    await isAsked;
    const broken = assert.rejects(call, { code: status.UNAVAILABLE });
    await waiting.abort();
    await broken;
    assert.equal(existsSync(socket), false);
    await assert.rejects(unary(client, client.GetCapacity, {}), { code: status.UNAVAILABLE });
    answer();
  });

  it('is not opened where another process serves', async () => {
    await open();
    await assert.rejects(WaitingSocket.open({ socket, driver: 'csi.example.org', target }), /another process is serving there/);
    assert.equal((await unary(identity, identity.GetPluginInfo, {})).name, 'csi.example.org');
  });
});
