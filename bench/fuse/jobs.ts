import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Server } from './peers.ts';

/** One kind of work; more is better. */
export interface Job {
  readonly name: string;
  readonly unit: 'MB/s' | 'k/s';
  /** Reached through the page cache. */
  readonly mapped?: true;
  /** How many times as fast as another server we must be. */
  readonly least?: { readonly of: Server; readonly ratio: number };
  readonly run: (file: string) => Promise<number>;
}

/** How long fio runs. */
const SECONDS = '1';

const output = promisify(execFile);

/** Every job, in the order of the table. */
export const jobs: readonly Job[] = [
  { name: '1M sequential read', unit: 'MB/s', least: { of: 'stable', ratio: 2.5 }, run: async (file) => (await fio(file, 'read', '1M', 1)).bytes / 1e6 },
  { name: '1M sequential write', unit: 'MB/s', least: { of: 'stable', ratio: 1.1 }, run: async (file) => (await fio(file, 'write', '1M', 1)).bytes / 1e6 },
  { name: '4k random read', unit: 'k/s', least: { of: 'stable', ratio: 0.95 }, run: async (file) => (await fio(file, 'randread', '4k', 1)).iops / 1e3 },
  { name: '4k random read, 4 jobs', unit: 'k/s', least: { of: 'stable', ratio: 0.9 }, run: async (file) => (await fio(file, 'randread', '4k', 4)).iops / 1e3 },
  { name: '4k random write', unit: 'k/s', run: async (file) => (await fio(file, 'randwrite', '4k', 1)).iops / 1e3 },
  { name: '4k random write, 4 jobs', unit: 'k/s', least: { of: 'newest', ratio: 0.9 }, run: async (file) => (await fio(file, 'randwrite', '4k', 4)).iops / 1e3 },
  { name: 'mmap sequential, cold', unit: 'MB/s', mapped: true, least: { of: 'stable', ratio: 1.5 }, run: async (file) => await client('map-cold', file) / 1e6 },
  { name: 'mmap sequential, second pass', unit: 'MB/s', mapped: true, least: { of: 'tmpfs', ratio: 0.9 }, run: async (file) => await client('map-again', file) / 1e6 },
  { name: 'mmap random faults', unit: 'k/s', mapped: true, run: async (file) => await client('map-random', file) / 1e3 },
  { name: 'open and close', unit: 'k/s', least: { of: 'stable', ratio: 1.2 }, run: async (file) => await client('open', file) / 1e3 },
  { name: 'stat', unit: 'k/s', run: async (file) => await client('stat', file) / 1e3 },
];

/** Runs fio on a file that is there, in its present size; a second's bytes and operations of all its jobs. */
async function fio(file: string, how: string, block: string, count: number): Promise<{ bytes: number; iops: number }> {
  const { stdout } = await output('fio', [
    '--output-format=json', '--name=job', `--filename=${file}`, `--rw=${how}`, `--bs=${block}`, `--numjobs=${count}`, '--group_reporting', '--thread',
    '--ioengine=psync', '--time_based', `--runtime=${SECONDS}`, '--allow_file_create=0', '--overwrite=1', '--fallocate=none', '--randrepeat=0',
  ]);
  const [job] = (JSON.parse(stdout.slice(stdout.indexOf('{'))) as { jobs: Record<'read' | 'write', { bw_bytes: number; iops: number }>[] }).jobs;
  const { bw_bytes: bytes, iops } = job[how.endsWith('read') ? 'read' : 'write'];
  return { bytes, iops };
}

async function client(job: string, file: string): Promise<number> {
  return Number((await output(process.execPath, [join(import.meta.dirname, 'client.ts'), job, file])).stdout);
}
