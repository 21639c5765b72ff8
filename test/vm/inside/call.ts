/**
 * Runs on a guest: one call to a role of the driver, the answer as JSON. A refusal ends it with 1
 * and `CODE: why`, unless it is one that Kubernetes would try again after; that it does itself.
 *
 *     node call.ts SOCKET Controller|Fused METHOD REQUEST
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { status, type Client, type ServiceError } from '@grpc/grpc-js';
import { csi, fused } from '../../../src/csi/server/protocols.ts';
import { plain, unary } from '../../support/grpc-client.ts';

type Methods = Record<string, Parameters<typeof unary<unknown, unknown>>[1]>;

/** Not available yet, or slow: all calls may be repeated. */
const passing = [status.UNAVAILABLE, status.ABORTED, status.DEADLINE_EXCEEDED];
const patienceMs = 180_000;

const [socket, service, method, request] = process.argv.slice(2);
const Service = service === 'Controller' ? csi.Controller : fused.Fused;
const client: Client = new Service(`unix://${socket}`, plain);

async function call(): Promise<unknown> {
  for (;;) {
    try {
      return await unary(client, (client as unknown as Methods)[method], JSON.parse(request));
    } catch (error) {
      if (!passing.includes((error as ServiceError).code) || performance.now() > patienceMs) throw error;
      await sleep(500);
    }
  }
}

try {
  console.log(JSON.stringify(await call()));
} catch (error) {
  const { code, details } = error as ServiceError;
  console.log(`${status[code]}: ${details}`);
  process.exitCode = 1;
}
client.close();
