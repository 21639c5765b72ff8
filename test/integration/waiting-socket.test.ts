/** The socket of sidecars: there from the start, and of use from the moment that the driver may act. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { silentLog } from '../../src/csi/log.ts';
import { csi } from '../../src/csi/server/protocols.ts';
import type { CsiPart } from '../../src/csi/server/serve.ts';
import { handlersOf } from '../../src/csi/server/service.ts';
import { WaitingSocket } from '../../src/csi/server/waiting-socket.ts';
import type { ControllerHandlers } from '../../src/generated/csi/v1/Controller.ts';
import { tempDir } from '../harness/temp.ts';
import { plain, unary } from '../support/grpc-client.ts';

const controller: CsiPart = {
  addTo: (server) => server.addService(csi.Controller.service, handlersOf<ControllerHandlers>({
    GetCapacity: () => ({ available_capacity: 7 }),
  }, silentLog())),
};

describe('the socket of sidecars', () => {
  let socket: string;
  let waiting: WaitingSocket;
  let identity: InstanceType<typeof csi.Identity>;
  let client: InstanceType<typeof csi.Controller>;
  let asked: AbortController;
  let lost: AbortController;

  const open = async (probeMs?: number) => {
    const limit = probeMs === undefined ? {} : { probeMs };
    waiting = await WaitingSocket.open({ socket, driver: 'csi.example.org', log: silentLog(), ...limit });
    identity = new csi.Identity(`unix://${socket}`, plain);
    client = new csi.Controller(`unix://${socket}`, plain);
  };

  beforeEach(() => {
    socket = join(tempDir('sidecars'), 'csi.sock');
    asked = new AbortController();
    lost = new AbortController();
  });
  afterEach(async () => {
    identity.close();
    client.close();
    await waiting.abort();
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
    const served = waiting.serve(controller, asked.signal, lost.signal);
    assert.deepEqual((await probe).ready, { value: true });
    assert.equal(Number((await unary(client, client.GetCapacity, {})).available_capacity), 7);
    asked.abort();
    await served;
    assert.equal(existsSync(socket), false);
  });

  it('is gone at once when the driver may act no longer', async () => {
    await open();
    const served = waiting.serve(controller, asked.signal, lost.signal);
    await unary(client, client.GetCapacity, {});
    lost.abort(new Error('the lease is lost'));
    await assert.rejects(served, /the lease is lost/);
    assert.equal(existsSync(socket), false);
    await assert.rejects(unary(client, client.GetCapacity, {}), { code: status.UNAVAILABLE });
  });
});
