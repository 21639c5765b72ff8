import os from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_DRIVER_NAME, isDriverName } from '../csi/driver.ts';
import { socketPath } from '../csi/endpoint.ts';
import { LOG_LEVELS, type LogLevel } from '../csi/log.ts';
import { parseNodeId } from './node-id.ts';

/** A pool as given with --pool. */
export interface PoolOption {
  readonly name: string;
  readonly device: string;
}

/** The options of a role. All roles take all of them, so that one set of arguments fits a host. */
export interface RoleOptions {
  readonly pool: readonly PoolOption[];
  readonly stateDir: string;
  readonly hostDir: string;
  readonly nodeId: string;
  /** Socket files. */
  readonly endpoint: string;
  readonly fusedEndpoint: string;
  readonly driverName: string;
  readonly logLevel: LogLevel;
}

/** A sub-command with the options of the roles. */
export function roleCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('--pool <name=device>', 'a pool of this host and its device; repeatable', collectPool, [])
    .option('--state-dir <dir>', 'what controller and nodes share without Kubernetes', '/var/lib/famfs-csi')
    .option('--host-dir <dir>', 'local to this host, empty after a reboot', '/run/famfs-csi')
    .option('--node-id <id>', 'name of this host in the cluster', parseNodeId, os.hostname())
    .option('--endpoint <url>', 'the CSI socket', parseEndpoint, '/run/famfs-csi/csi.sock')
    .option('--fused-endpoint <url>', 'the control socket of the data plane', parseEndpoint, '/run/famfs-csi/fused.sock')
    .option('--driver-name <name>', 'name of the CSI driver', parseDriverName, DEFAULT_DRIVER_NAME)
    .addOption(new Option('--log-level <level>', 'least severe level to log').choices(LOG_LEVELS).default('info'));
}

/** Throws unless at least one pool was given: for roles that are nothing without. */
export function requirePools(options: RoleOptions): readonly PoolOption[] {
  if (options.pool.length === 0) throw new Error('--pool NAME=DEVICE is required');
  return options.pool;
}

function collectPool(text: string, before: readonly PoolOption[]): PoolOption[] {
  const match = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)=(\/.+)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('Expected NAME=/path/of/device, NAME of a-z, 0-9 and "-".');
  const pool = { name: match[1]!, device: match[3]! };
  const twin = before.find(({ name, device }) => name === pool.name || device === pool.device);
  if (twin !== undefined) throw new InvalidArgumentError(`${twin.name}=${twin.device} is given already.`);
  return [...before, pool];
}

function parseEndpoint(text: string): string {
  const socket = socketPath(text);
  if (socket === undefined) throw new InvalidArgumentError('Expected unix:///path/of/socket.');
  return socket;
}

function parseDriverName(text: string): string {
  if (!isDriverName(text)) throw new InvalidArgumentError('Expected a domain name of at most 63 characters.');
  return text;
}
