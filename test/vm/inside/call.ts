/**
 * Runs on a guest: one call to a role of the driver, the answer as JSON. A refusal ends it with 1
 * and `CODE: why`.
 *
 *     node call.ts SOCKET Controller|Fused METHOD REQUEST
 */
import { status, type Client, type ServiceError } from '@grpc/grpc-js';
import { csi, fused } from '../../../src/csi/protocols.ts';
import { plain, unary } from '../../support/grpc-client.ts';

type Methods = Record<string, Parameters<typeof unary<unknown, unknown>>[1]>;

const [socket, service, method, request] = process.argv.slice(2);
const Service = service === 'Controller' ? csi.Controller : fused.Fused;
const client: Client = new Service(`unix://${socket}`, plain);
try {
  console.log(JSON.stringify(await unary(client, (client as unknown as Methods)[method], JSON.parse(request))));
} catch (error) {
  const { code, details } = error as ServiceError;
  console.log(`${status[code]}: ${details}`);
  process.exitCode = 1;
}
client.close();
