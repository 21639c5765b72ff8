/** The thread that serves the socket of sidecars: see waiting-socket.ts. */
import fs from 'node:fs/promises';
import { promisify } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import {
  Client, credentials, type sendUnaryData, type Server, type ServerUnaryCall, type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { withTimeout } from '../../famfs/with-timeout.ts';
import type { IdentityHandlers } from '../../generated/csi/v1/Identity.ts';
import { silentLog } from '../log.ts';
import { version } from '../version.ts';
import { CONTROLLER_CAPABILITIES, identityOperations } from './identity.ts';
import { csi } from './protocols.ts';
import { removeStale, SocketServer } from './server.ts';
import { handlersOf } from './service.ts';

/** What the thread is started with. */
export interface WaitingSocketTask {
  readonly socket: string;
  readonly driver: string;
  readonly target: string;
  readonly probeMs: number;
}

/** What the thread is told: that the driver answers now, or that it is about to end. */
export type WaitingSocketWish = 'serve' | 'drain';

const { socket, driver, target, probeMs } = workerData as WaitingSocketTask;
const { promise: ready, resolve: becomeReady } = Promise.withResolvers<boolean>();
let grpc: Server | undefined;

/** A sidecar gives a connection one second: so the socket has its name only when a first one was served, which takes longest. */
const early = `${socket}.early`;
const server = await SocketServer.listen(early, (created) => {
  grpc = created;
  const identity = identityOperations(driver, version(), () => withTimeout(ready, probeMs, () => false));
  created.addService(csi.Identity.service, handlersOf<IdentityHandlers>(identity, silentLog()));
});

await serveFirst();
await removeStale(socket);
await fs.rename(early, socket);

parentPort!.on('message', (wish: WaitingSocketWish) => {
  if (wish === 'serve') serve();
  else server.drain().then(() => fs.rm(socket, { force: true })).then(() => process.exit(), () => process.exit(1));
});
parentPort!.postMessage('listening');

async function serveFirst(): Promise<void> {
  const client = new csi.Identity(`unix://${early}`, credentials.createInsecure());
  await promisify(client.getPluginInfo.bind(client, {}))();
  client.close();
}

function serve(): void {
  const { definition, handlers } = forwarding(new Client(`unix://${target}`, credentials.createInsecure()));
  grpc!.addService(definition, handlers);
  becomeReady(true);
}

/** The controller service, whose calls are handed on with their deadlines, as the bytes that they are. */
function forwarding(client: Client): { definition: ServiceDefinition; handlers: UntypedServiceImplementation } {
  const same = (bytes: Buffer) => bytes;
  const raw = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
  const methods = Object.entries(csi.Controller.service);
  const { ControllerGetCapabilities: own } = csi.Controller.service;
  const capabilities = own.responseSerialize(CONTROLLER_CAPABILITIES);
  const handOn = (path: string) => (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>) => {
    if (path === own.path) return reply(null, capabilities);
    const handedOn = client.makeUnaryRequest(path, same, same, call.request, { deadline: call.getDeadline() }, reply);
    call.on('cancelled', () => handedOn.cancel());
  };
  return {
    definition: Object.fromEntries(methods.map(([name, method]) => [name, { ...method, ...raw }])),
    handlers: Object.fromEntries(methods.map(([name, { path }]) => [name, handOn(path)])),
  };
}
