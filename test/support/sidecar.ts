/** A process that asks what sidecars ask first, and prints the answers: node sidecar.ts SOCKET */
import { csi } from '../../src/csi/server/protocols.ts';
import { plain, unary } from './grpc-client.ts';

const identity = new csi.Identity(`unix://${process.argv[2]}`, plain);
const controller = new csi.Controller(`unix://${process.argv[2]}`, plain);
const { ready } = await unary(identity, identity.Probe, {});
const { name } = await unary(identity, identity.GetPluginInfo, {});
const offered = ready?.value ? (await unary(controller, controller.ControllerGetCapabilities, {})).capabilities! : [];
process.stdout.write(JSON.stringify({ ready: ready?.value, name, capabilities: offered.length }));
identity.close();
controller.close();
