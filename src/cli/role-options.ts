import os from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseBytes } from '../csi/bytes.ts';
import { LOG_LEVELS, type LogLevel } from '../csi/log-level.ts';
import { isPoolName, type PoolConfig, readPoolsFile } from '../csi/pool-config.ts';
import { socketPath } from '../csi/server/endpoint.ts';
import { placeOptions, preferGivenStateDir } from './place-options.ts';

/** The options of a role. All roles take all of them, so that one set of arguments fits a host. */
export interface RoleOptions {
  readonly pool: readonly PoolConfig[];
  /** Names the pools instead of `pool`. */
  readonly poolsFile?: string;
  /** The namespace that keeps the cluster's state; without it, stateDir does. */
  readonly kubernetes?: string;
  /** The namespace of the members' Leases. */
  readonly membersNamespace?: string;
  readonly stateDir: string;
  readonly hostDir: string;
  readonly nodeId: string;
  /** Socket files. */
  readonly endpoint: string;
  readonly fusedEndpoint: string;
  /** A second CSI socket of the controller, for sidecars. */
  readonly sidecarEndpoint?: string;
  /** Where the kubelet looks for plugins. */
  readonly registrationDir?: string;
  /** Port of health checks and metrics; 0 for none. */
  readonly httpPort: number;
  /** Bytes of deleted memory that a controller zeroes a second; Infinity for as fast as it goes. */
  readonly scrubRate: number;
  readonly driverName: string;
  readonly logLevel: LogLevel;
}

/** A sub-command with the options of the roles, whose help shows those that this role uses. */
export function roleCommand(name: string, used: readonly (keyof RoleOptions)[]): Command {
  const command = preferGivenStateDir(new Command(name));
  for (const option of roleOptions()) {
    command.addOption(option.hideHelp(!used.includes(option.attributeName() as keyof RoleOptions)));
  }
  return command.addHelpText('after', '\nThe options of the other roles are taken and not used: one set of arguments fits all roles of a host.');
}

function roleOptions(): Option[] {
  return [
    new Option('--pool <name=device>', 'a pool of this host and its device; repeatable').argParser(collectPool).default([], 'none'),
    new Option('--pools-file <file>', 'JSON file that names the pools instead').conflicts('pool'),
    placeOptions.kubernetes('keep the state of the cluster in this namespace of Kubernetes'),
    placeOptions.membersNamespace(),
    placeOptions.stateDir('what controller and nodes share without Kubernetes'),
    placeOptions.hostDir(),
    placeOptions.nodeId('name of this host in the cluster').default(os.hostname()),
    new Option('--endpoint <url>', 'the CSI socket').argParser(parseEndpoint).default('/run/famfs-csi/csi.sock'),
    new Option('--fused-endpoint <url>', 'the control socket of the data plane').argParser(parseEndpoint).default('/run/famfs-csi/fused.sock'),
    new Option('--sidecar-endpoint <url>', 'a CSI socket of the controller for sidecars: there while it waits for the lease').argParser(parseEndpoint),
    new Option('--registration-dir <dir>', 'register the node plugin with the kubelet that looks into this directory'),
    new Option('--http-port <port>', 'serve /healthz, /readyz and /metrics here; 0 for nowhere').argParser(parsePort).default(0),
    new Option('--scrub-rate <size>', 'deleted memory zeroed a second; 0 for as fast as it goes').argParser(parseScrubRate).default(2 ** 30, '1GiB'),
    placeOptions.driverName(),
    new Option('--log-level <level>', 'least severe level to log').choices(LOG_LEVELS).default('info'),
  ];
}

/** The pools of these options. Throws unless there is at least one: for roles that are nothing without. */
export function requirePools({ pool, poolsFile }: RoleOptions): readonly PoolConfig[] {
  const pools = poolsFile === undefined ? pool : readPoolsFile(poolsFile);
  if (pools.length === 0) throw new Error(poolsFile === undefined ? '--pool NAME=DEVICE is required' : `${poolsFile} names no pool`);
  return pools;
}

function collectPool(text: string, before: readonly PoolConfig[]): PoolConfig[] {
  const match = /^([^=]*)=(\/.+)$/.exec(text);
  if (match === null || !isPoolName(match[1]!)) throw new InvalidArgumentError('Expected NAME=/path/of/device, NAME of a-z, 0-9 and "-".');
  const pool = { name: match[1]!, device: match[2]!, format: 'never' } as const;
  const twin = before.find(({ name, device }) => name === pool.name || device === pool.device);
  if (twin !== undefined) throw new InvalidArgumentError(`${twin.name}=${twin.device} is given already.`);
  return [...before, pool];
}

/** Bytes a second; 0 sets no limit. Throws InvalidArgumentError. */
function parseScrubRate(text: string): number {
  const rate = parseBytes(text);
  if (rate === undefined) throw new InvalidArgumentError('Expected a size such as 512MiB or 1Gi, or 0.');
  return rate === 0 ? Infinity : rate;
}

/** A TCP port, or 0. Throws InvalidArgumentError. */
export function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) throw new InvalidArgumentError('Expected a port, 0 to 65535.');
  return Number(text);
}

function parseEndpoint(text: string): string {
  const socket = socketPath(text);
  if (socket === undefined) throw new InvalidArgumentError('Expected unix:///path/of/socket.');
  return socket;
}
