import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { programs } from '../harness/prerequisites.ts';

/** What fio does by turns: all of the file is written, then read and compared. */
const ROUNDS = [
  ['--rw=randwrite', '--bs=4k', '--ioengine=psync'],
  ['--rw=write', '--bs=1M', '--ioengine=psync'],
  ['--rw=randwrite', '--bs=64k', '--ioengine=psync'],
  ['--rw=randwrite', '--bs=4k', '--ioengine=mmap'],
] as const;
/** A round takes seconds. */
const LIMIT_MS = 300_000;

/** What is missing for it, in words. */
export const fioMissing = programs('fio');

interface FioJob {
  readonly error: number;
  readonly read: { readonly total_ios: number };
  readonly write: { readonly total_ios: number };
}

/** Runs fio on a file that is there, round after round, until `ended`; answers its operations. Throws what fio finds wrong. */
export async function runFio(file: string, ended: () => boolean): Promise<number> {
  let operations = 0;
  for (let round = 0; !ended(); round++) {
    const { stdout } = await promisify(execFile)('fio', [
      '--output-format=json', '--name=job', `--filename=${file}`, '--thread', '--allow_file_create=0', '--overwrite=1', '--fallocate=none',
      '--randrepeat=0', '--verify=crc32c', '--verify_fatal=1', '--verify_state_save=0', ...ROUNDS[round % ROUNDS.length],
    ], { timeout: LIMIT_MS, cwd: '/' });
    const [job] = (JSON.parse(stdout.slice(stdout.indexOf('{'))) as { jobs: FioJob[] }).jobs;
    if (job.error !== 0) throw new Error(`fio: error ${job.error} in round ${round}`);
    operations += job.read.total_ios + job.write.total_ios;
  }
  return operations;
}
