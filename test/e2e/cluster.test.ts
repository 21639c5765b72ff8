/** The cluster of all end-to-end tests: made before the first one, deleted after the last. */
import { startCluster, stopCluster } from './support/cluster.ts';

const START_MS = 140 * 60_000;
const STOP_MS = 20 * 60_000;

const wanted = (name: string) => process.env[name] === 'true';

before(async function () {
  this.timeout(START_MS);
  await startCluster({ install: wanted('CI') || wanted('FAMFS_E2E_INSTALL'), stock: wanted('FAMFS_E2E_STOCK') });
});

after(async function () {
  this.timeout(STOP_MS);
  if (wanted('FAMFS_E2E_KEEP')) return;
  await stopCluster();
});
