import { parentPort, workerData } from 'node:worker_threads';
import { FamfsError, type FamfsErrorCode } from '../../famfs/errors.ts';
import { mkfs } from '../../famfs/mkfs/mkfs.ts';

/** What is to be formatted. */
export interface FormatTask {
  readonly device: string;
  readonly clusterUuid: string;
  readonly logSize?: number;
}

/** How it went. */
export type FormatOutcome = { readonly uuid: string } | { readonly code: FamfsErrorCode; readonly message: string };

async function run({ device, ...options }: FormatTask): Promise<FormatOutcome> {
  try {
    return { uuid: (await mkfs(device, { ...options, onlyEmpty: true })).uuid };
  } catch (error) {
    if (!(error instanceof FamfsError)) throw error;
    return { code: error.code, message: error.message };
  }
}

parentPort?.postMessage(await run(workerData as FormatTask));
