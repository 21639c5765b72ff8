import { Command } from 'commander';
import type { Member } from '../state/interfaces.ts';
import { printJson } from './output.ts';
import { placeOptions, preferGivenStateDir } from './place-options.ts';

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
  return preferGivenStateDir(new Command('evict'))
    .argument('<host>', 'the host, as events and metrics name it: in Kubernetes, the node')
    .option('--powered-off', 'my word that the host is off, or has been since it was last heard of')
    .addOption(placeOptions.kubernetes('the namespace of the release'))
    .addOption(placeOptions.membersNamespace())
    .addOption(placeOptions.stateDir('where the cluster keeps its state without Kubernetes'))
    .addOption(placeOptions.driverName())
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
