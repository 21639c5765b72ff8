/** All of Kubernetes' own tests of CSI drivers, against our release in a cluster of its own. */
import { prepareSuite, runSuite, summarise } from '../e2e/suite/run-suite.ts';
import { shortName } from '../e2e/suite/selection.ts';
import { cluster, startCluster, stopCluster } from '../e2e/support/cluster.ts';
import { expectNoLeaks } from '../e2e/support/leaks.ts';
import { Names } from '../e2e/support/objects.ts';
import { ensureRelease } from '../e2e/support/release.ts';

/** Whether every test ended as it has to. */
export async function run(): Promise<boolean> {
  await startCluster({ install: process.env['CI'] === 'true', stock: process.env['FAMFS_E2E_STOCK'] === 'true' });
  try {
    await ensureRelease();
    const program = await prepareSuite('famfs');
    const verdicts = await runSuite(program, () => true, ({ kind, seconds, name }) => {
      if (kind !== 'skipped') console.log(`${kind.padEnd(7)} ${String(seconds).padStart(4)} s  ${shortName(name)}`);
    });
    console.log(summarise(verdicts).join('\n'));
    const { workers, pools } = cluster();
    await expectNoLeaks({ pools, workers, namespace: Names.namespace });
    return verdicts.every(({ kind }) => kind !== 'wrong');
  } finally {
    if (process.env['FAMFS_E2E_KEEP'] !== 'true') await stopCluster();
  }
}
