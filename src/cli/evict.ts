import { Command, Option } from 'commander';
import { DEFAULT_DRIVER_NAME } from '../csi/driver.ts';
import type { Member } from '../state/interfaces.ts';
import { printJson } from './output.ts';
import { membersNamespaceOption, parseDriverName, parseNamespace } from './role-options.ts';

interface EvictOptions {
  readonly poweredOff?: true;
  readonly kubernetes?: string;
  readonly membersNamespace?: string;
  readonly stateDir: string;
  readonly driverName: string;
  readonly json?: true;
}

/** `famfs-csi evict HOST --powered-off` */
export function evictCommand(): Command {
  return new Command('evict')
    .argument('<host>', 'the host, as events and metrics name it: in Kubernetes, the node')
    .option('--powered-off', 'my word that the host is off, or has been since it was last heard of')
    .addOption(new Option('--kubernetes <namespace>', "the namespace of the release (default: that of this pod)")
      .env('POD_NAMESPACE').argParser(parseNamespace))
    .addOption(membersNamespaceOption())
    .option('--state-dir <dir>', 'where the cluster keeps its state without Kubernetes', '/var/lib/famfs-csi')
    .option('--driver-name <name>', 'name of the CSI driver', parseDriverName, DEFAULT_DRIVER_NAME)
    .option('--json', 'print JSON')
    .action(run);
}

async function run(host: string, { poweredOff, json, ...options }: EvictOptions): Promise<void> {
  const { createLog } = await import('../csi/log.ts');
  const { openClusterState } = await import('./cluster-state.ts');
  const { members } = await openClusterState(options, createLog('warn', 'evict'));
  const found = (await members.list()).filter((member) => member.host === host);
  if (found.length === 0) throw new Error(`${host} is a member of no pool: nothing waits for it`);
  if (!poweredOff) {
    throw new Error(`${host} is a member of ${describe(found)}. While it runs, it may use memory of deleted volumes, and would then see ` +
      'and change what others keep there since: say --powered-off when it is off for certain');
  }
  for (const member of found) {
    if (!await members.release(member)) throw new Error(`${host} has just told of itself for pool ${member.pool}: it is not off`);
  }
  if (json) printJson({ host, pools: poolsOf(found) });
  else console.log(`${host} is no member any more of ${describe(found)}`);
}

function describe(members: readonly Member[]): string {
  return `pool ${poolsOf(members).join(', ')}`;
}

/** A host may have a record of an earlier data plane besides. */
function poolsOf(members: readonly Member[]): string[] {
  return [...new Set(members.map(({ pool }) => pool))];
}
