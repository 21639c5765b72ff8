/** The driver's roles on a guest, and calls to them. */
import { program, root } from '../harness/paths.ts';
import { until } from '../support/until.ts';
import { crashCodes, GuestFailure, type GuestHost, node, type Outcome, share } from './host.ts';
import { device } from './rack.ts';

/** What the tests run on guests. */
export type RoleName = 'controller' | 'fused';

const pool = 'memory';

const socket = (role: RoleName): string => `/run/${role}.sock`;

/** The log of a role. */
export const logOf = (role: RoleName): string => `/tmp/${role}.log`;

/** Starts a role; resolves when it serves its socket. The host's name is its node id. */
export async function startRole(host: GuestHost, role: RoleName): Promise<void> {
  const endpoint = role === 'fused' ? '--fused-endpoint' : '--endpoint';
  await host.must(`
(
  setsid ${program} ${role} --pool ${pool}=${device} --state-dir ${share}/state --host-dir /run/famfs \\
    --node-id ${host.name} ${endpoint} unix://${socket(role)} > ${logOf(role)} 2>&1 &
  echo $! > /tmp/${role}.pid
  wait $!
  echo $? > /tmp/${role}.code
) &
until [ -S ${socket(role)} ]; do
  [ ! -e /tmp/${role}.code ] || { cat ${logOf(role)}; exit $(cat /tmp/${role}.code); }
  sleep 0.2
done`);
}

/** Asks a role to end, and waits for it. */
export async function stopRole(host: GuestHost, role: RoleName): Promise<void> {
  await host.must(`kill $(cat /tmp/${role}.pid); until [ -e /tmp/${role}.code ]; do sleep 0.2; done`);
}

/** One call to the controller or to the data plane of a host. */
export function call(host: GuestHost, service: 'Controller' | 'Fused', method: string, request: object): Promise<Outcome> {
  const role = service === 'Controller' ? 'controller' : 'fused';
  return host.run(`${node} ${root}/test/vm/inside/call.ts ${socket(role)} ${service} ${method} '${JSON.stringify(request)}'`);
}

/** A call that must succeed. */
export async function mustCall(host: GuestHost, service: 'Controller' | 'Fused', method: string, request: object): Promise<Record<string, unknown>> {
  const { code, output } = await call(host, service, method, request);
  if (code === 0) return JSON.parse(output) as Record<string, unknown>;
  const { output: log } = await host.run('tail -n 20 /tmp/*.log /tmp/*.code');
  const text = `${host.name}: ${method} ${JSON.stringify(request)}: ${output}\n${log}`;
  throw crashCodes.some((signal) => log.includes(`.code <==\n${signal}`)) ? new GuestFailure(text) : new Error(text);
}

/** Makes a volume of a directory with one file; answers its handle. */
export async function createVolume(host: GuestHost, name: string, bytes: number): Promise<string> {
  const { volume } = await mustCall(host, 'Controller', 'createVolume', volumeRequest(name, bytes));
  return (volume as { volume_id: string }).volume_id;
}

/** What a volume is asked for with. */
export function volumeRequest(name: string, bytes: number): object {
  const capability = { mount: {}, access_mode: { mode: 'MULTI_NODE_MULTI_WRITER' } };
  return { name, capacity_range: { required_bytes: bytes }, volume_capabilities: [capability] };
}

/** Repeats a look at guests until it throws no more; a guest that has failed ends that at once. */
export function untilOnGuests<Seen>(look: () => Promise<Seen>): Promise<Seen> {
  return until(look, { everyMs: 500, fatal: (error) => error instanceof GuestFailure });
}
