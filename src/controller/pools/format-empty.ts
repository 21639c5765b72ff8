import { Worker } from 'node:worker_threads';
import { FamfsError } from '../../famfs/errors.ts';
import { moduleFile } from '../../famfs/module-file.ts';
import type { FormatOutcome, FormatTask } from './format-worker.ts';

/**
 * Formats a device whose superblock region and log are all zero, and answers the new UUID. In a
 * thread of its own: clearing a large device takes minutes, in which the lease must be renewed.
 * Throws FamfsError EXISTS where the device is not empty, else as mkfs does.
 */
export async function formatEmpty(task: FormatTask): Promise<string> {
  const worker = new Worker(moduleFile(import.meta.url, 'format-worker'), { workerData: task });
  const outcome = await new Promise<FormatOutcome>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new FamfsError('DEVICE', `${task.device}: the formatting ended without a result`)));
  });
  if ('code' in outcome) throw new FamfsError(outcome.code, outcome.message);
  return outcome.uuid;
}
