/**
 * npm run demo: the whole way of a volume, on real parts. One file on shared memory plays the
 * fabric-attached memory; a controller and two hosts, each with a mount namespace of its own, play
 * the cluster. Every step is checked, and nothing is left behind.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isInNamespace, runInNamespace } from '../harness/namespace.ts';
import { fuseMissing } from '../harness/prerequisites.ts';
import { clearStrays, lookAround, untilProcessesEnd } from '../harness/strays.ts';
import { Cluster } from './cluster.ts';
import { say, step } from './narrator.ts';
import { makePool, tellStory } from './story.ts';

async function demo(): Promise<number> {
  const missing = fuseMissing();
  if (missing) throw new Error(`the demo mounts file systems: ${missing}`);
  const started = Date.now();
  const directory = mkdtempSync(join(tmpdir(), 'famfs-demo-'));
  const id = directory.slice(directory.lastIndexOf('-') + 1);
  const places = { id, temp: directory, shm: `/dev/shm/famfs-demo-${id}` };
  // Children inherit the mark, by which whatever outlives the demo is found.
  process.env['FAMFS_TEST_RUN'] = id;
  const before = lookAround();
  const cluster = new Cluster(directory, join(places.shm, 'device'));
  const problems: string[] = [];
  const stopAll = async (): Promise<void> => {
    problems.push(...(await cluster.stop()));
    rmSync(directory, { recursive: true, force: true });
    rmSync(places.shm, { recursive: true, force: true });
    await untilProcessesEnd(places.id);
    problems.push(...clearStrays(places, before));
  };
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => (stopping ??= stopAll());
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => void stop().finally(() => process.exit(130)));
  }
  try {
    await makePool(cluster);
    await tellStory(cluster);
  } finally {
    await step('Everything is stopped', async () => {
      await stop();
      say(problems.length > 0 ? problems.join('\n') : 'No mount, process or file is left.');
    });
  }
  if (problems.length > 0) return 1;
  console.log(`\nAll of this was checked, in ${((Date.now() - started) / 1000).toFixed(1)} s.`);
  return 0;
}

const inside = isInNamespace() ? undefined : await runInNamespace(fileURLToPath(import.meta.url), process.argv.slice(2));
process.exitCode = inside ?? (await demo().catch((error: unknown) => {
  console.error(`\nThe demo FAILED: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return 1;
}));
