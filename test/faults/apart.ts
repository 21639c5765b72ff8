import { isInNamespace, runInNamespace } from '../harness/namespace.ts';
import { seed } from './seed.ts';

/** Runs a campaign that mounts things in a mount namespace of its own, where the machine allows one. */
export async function apart(campaign: string, work: () => Promise<boolean>): Promise<boolean> {
  if (!isInNamespace()) {
    const code = await runInNamespace(process.argv[1], [campaign]);
    if (code !== undefined) return code === 0;
  }
  console.log(`FAMFS_FAULTS_SEED=${seed}`);
  return work();
}
