// The least that a CSI driver can do: a directory and a bind mount, no checks, no state. It runs in a
// pod of the driver's image, for its Node.js and gRPC, and is what the real driver's times are compared
// with. Arguments: role (controller or node), driver name, node name, CSI socket, registration directory.
import { execFile } from 'node:child_process';
import fs from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = process.env.FAMFS_ROOT;
const require = createRequire(`${root}/package.json`);
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const [role, driver, node, socket, registrationDirectory] = process.argv.slice(2);
const data = path.join(path.dirname(socket), 'data');

function load(file) {
  const options = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };
  return grpc.loadPackageDefinition(loader.loadSync(path.join(root, 'proto', file), options));
}

function unary(work) {
  return (call, reply) => {
    Promise.resolve(work(call.request)).then((answer) => reply(null, answer ?? {}), (error) => {
      console.error(error);
      reply({ code: grpc.status.INTERNAL, details: String(error) });
    });
  };
}

function services(table) {
  return Object.fromEntries(Object.entries(table).map(([name, work]) => [name, unary(work)]));
}

async function bind(source, target) {
  await fs.mkdir(source, { recursive: true });
  await fs.mkdir(target, { recursive: true });
  const mounts = await fs.readFile('/proc/self/mountinfo', 'utf8');
  if (!mounts.includes(` ${target} `)) await run('mount', ['--bind', source, target]);
}

async function unbind(target) {
  await run('umount', [target]).catch(() => {});
  await fs.rmdir(target).catch(() => {});
}

const capabilities = (key, names) => ({ capabilities: names.map((type) => ({ [key]: { type } })) });
const { Identity, Controller, Node } = load('csi.proto').csi.v1;

const identity = services({
  GetPluginInfo: () => ({ name: driver, vendor_version: '0' }),
  GetPluginCapabilities: () => capabilities('service', ['CONTROLLER_SERVICE', 'VOLUME_ACCESSIBILITY_CONSTRAINTS']),
  Probe: () => ({ ready: { value: true } }),
});
const controller = services({
  CreateVolume: ({ name, capacity_range: range }) => ({
    volume: { volume_id: name, capacity_bytes: range?.required_bytes ?? 0, accessible_topology: [{ segments: { [`${driver}/here`]: 'true' } }] },
  }),
  DeleteVolume: () => {},
  ControllerPublishVolume: () => {},
  ControllerUnpublishVolume: () => {},
  GetCapacity: () => ({ available_capacity: 2 ** 40 }),
  ControllerGetCapabilities: () => capabilities('rpc', ['CREATE_DELETE_VOLUME', 'PUBLISH_UNPUBLISH_VOLUME', 'GET_CAPACITY']),
});
const nodeService = services({
  NodeStageVolume: ({ volume_id: id, staging_target_path: place }) => bind(path.join(data, id), place),
  NodeUnstageVolume: ({ staging_target_path: place }) => unbind(place),
  NodePublishVolume: ({ staging_target_path: place, target_path: target }) => bind(place, target),
  NodeUnpublishVolume: ({ target_path: target }) => unbind(target),
  NodeGetCapabilities: () => capabilities('rpc', ['STAGE_UNSTAGE_VOLUME']),
  NodeGetInfo: () => ({ node_id: node, accessible_topology: { segments: { [`${driver}/here`]: 'true' } } }),
});

async function serve(file, parts) {
  await fs.mkdir(path.dirname(file), { recursive: true });
  await fs.rm(file, { force: true });
  const server = new grpc.Server();
  for (const [type, handlers] of parts) server.addService(type.service, handlers);
  await promisify(server.bindAsync.bind(server))(`unix://${file}`, grpc.ServerCredentials.createInsecure());
}

await serve(socket, [[Identity, identity], role === 'node' ? [Node, nodeService] : [Controller, controller]]);
if (role === 'node') {
  const { Registration } = load('pluginregistration.proto').pluginregistration;
  await serve(path.join(registrationDirectory, `${driver}-reg.sock`), [[Registration, services({
    GetInfo: () => ({ type: 'CSIPlugin', name: driver, endpoint: socket, supported_versions: ['1.0.0'] }),
    NotifyRegistrationStatus: () => {},
  })]]);
}
process.on('SIGTERM', () => process.exit(0));
console.log('serving');
