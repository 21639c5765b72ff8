import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_DRIVER_NAME, isDriverName } from '../csi/driver.ts';

/**
 * The options that say where a program runs: on which host, and of which cluster and driver. In a container
 * of the driver they come from its environment, so that commands there need none of them.
 */
export const placeOptions = {
  kubernetes: (description: string) => fromEnvironment(new Option('--kubernetes <namespace>', description).argParser(parseNamespace)),
  membersNamespace: () => fromEnvironment(
    new Option('--members-namespace <namespace>', "the namespace of members' Leases (default: that of the release, with -members)").argParser(parseNamespace)),
  stateDir: (description: string) => new Option('--state-dir <dir>', description).default('/var/lib/famfs-csi'),
  hostDir: () => fromEnvironment(new Option('--host-dir <dir>', 'local to this host, empty after a reboot').default('/run/famfs-csi')),
  nodeId: (description: string) => fromEnvironment(new Option('--node-id <id>', description).argParser(parseNodeId)),
  driverName: () => fromEnvironment(new Option('--driver-name <name>', 'name of the CSI driver').argParser(parseDriverName).default(DEFAULT_DRIVER_NAME)),
};

/**
 * `--host-dir` from FAMFS_CSI_HOST_DIR, and the like. The names are ours alone: what other programs set too, as
 * NODE_NAME or POD_NAMESPACE, may mean another thing, and a host id that is not unique would prove a reboot that was none.
 */
function fromEnvironment(option: Option): Option {
  return option.env(`FAMFS_CSI_${option.name().replaceAll('-', '_').toUpperCase()}`);
}

/** Lets a state directory that is given on the command line win over a namespace out of the environment. */
export function preferGivenStateDir(command: Command): Command {
  return command.hook('preAction', (_, used) => {
    if (used.getOptionValueSource('stateDir') === 'cli' && used.getOptionValueSource('kubernetes') === 'env') used.setOptionValue('kubernetes', undefined);
  });
}

/** Reads the name of a namespace. Throws InvalidArgumentError. */
function parseNamespace(text: string): string {
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) throw new InvalidArgumentError('Expected the name of a namespace.');
  return text;
}

/** Reads the name of a host. Throws InvalidArgumentError. */
function parseNodeId(text: string): string {
  // The CSI specification allows 256 bytes; Kubernetes keeps it in an annotation of fewer.
  if (!/^[\x21-\x7e]{1,192}$/.test(text)) throw new InvalidArgumentError('Expected 1 to 192 printable characters without blanks.');
  return text;
}

/** Reads the name of a driver. Throws InvalidArgumentError. */
function parseDriverName(text: string): string {
  if (!isDriverName(text)) throw new InvalidArgumentError('Expected a domain name of at most 63 characters.');
  return text;
}
