import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** One kind of work; more is better. */
export interface Job {
  readonly name: string;
  readonly unit: 'MB/s' | 'k/s';
  /** Reached through the page cache. */
  readonly mapped?: true;
  /** How many times as fast as passthrough_ll we must be, or, of `tmpfs`, as the file system below. */
  readonly least?: { readonly of: 'passthrough_ll' | 'tmpfs'; readonly ratio: number };
  readonly run: (file: string) => number;
}

const SECONDS = '2';

/** Every job, in the order of the table. */
export const jobs: readonly Job[] = [
  { name: '1M sequential read', unit: 'MB/s', least: { of: 'passthrough_ll', ratio: 2.5 }, run: (file) => fio(file, 'read', '1M', 1).bytes / 1e6 },
  { name: '1M sequential write', unit: 'MB/s', least: { of: 'passthrough_ll', ratio: 1.1 }, run: (file) => fio(file, 'write', '1M', 1).bytes / 1e6 },
  { name: '4k random read', unit: 'k/s', least: { of: 'passthrough_ll', ratio: 0.95 }, run: (file) => fio(file, 'randread', '4k', 1).iops / 1e3 },
  { name: '4k random read, 4 jobs', unit: 'k/s', least: { of: 'passthrough_ll', ratio: 0.9 }, run: (file) => fio(file, 'randread', '4k', 4).iops / 1e3 },
  { name: '4k random write', unit: 'k/s', run: (file) => fio(file, 'randwrite', '4k', 1).iops / 1e3 },
  { name: '4k random write, 4 jobs', unit: 'k/s', run: (file) => fio(file, 'randwrite', '4k', 4).iops / 1e3 },
  { name: 'mmap sequential, cold', unit: 'MB/s', mapped: true, least: { of: 'passthrough_ll', ratio: 1.5 }, run: (file) => client('map-cold', file) / 1e6 },
  { name: 'mmap sequential, second pass', unit: 'MB/s', mapped: true, least: { of: 'tmpfs', ratio: 0.9 }, run: (file) => client('map-again', file) / 1e6 },
  { name: 'mmap random faults', unit: 'k/s', mapped: true, run: (file) => client('map-random', file) / 1e3 },
  { name: 'open and close', unit: 'k/s', least: { of: 'passthrough_ll', ratio: 1.2 }, run: (file) => client('open', file) / 1e3 },
  { name: 'stat', unit: 'k/s', run: (file) => client('stat', file) / 1e3 },
];

/** Runs fio on a file that is there, in its present size; a second's bytes and operations of all its jobs. */
function fio(file: string, how: string, block: string, count: number): { bytes: number; iops: number } {
  const output = execFileSync('fio', [
    '--output-format=json', '--name=job', `--filename=${file}`, `--rw=${how}`, `--bs=${block}`, `--numjobs=${count}`, '--group_reporting', '--thread',
    '--ioengine=psync', '--time_based', `--runtime=${SECONDS}`, '--allow_file_create=0', '--overwrite=1', '--fallocate=none', '--randrepeat=0',
  ], { encoding: 'utf8' });
  const [job] = (JSON.parse(output.slice(output.indexOf('{'))) as { jobs: Record<'read' | 'write', { bw_bytes: number; iops: number }>[] }).jobs;
  const { bw_bytes: bytes, iops } = job[how.endsWith('read') ? 'read' : 'write'];
  return { bytes, iops };
}

function client(job: string, file: string): number {
  return Number(execFileSync(process.execPath, [join(import.meta.dirname, 'client.ts'), job, file], { encoding: 'utf8' }));
}
