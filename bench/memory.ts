import fs from 'node:fs';
import { join } from 'node:path';
import { MIB } from '../src/famfs/units.ts';
import { Random } from '../test/fuzz/random.ts';
import { remove, tempDir } from '../test/harness/temp.ts';
import { builtSession } from './built.ts';
import { AU, poolOf, volumeName } from './million.ts';
import type { BenchResult } from './result.ts';

/** Files in the pool, each with its directory; bytes of its log; MiB that the session may take. */
const pools: readonly { readonly files: number; readonly log: number; readonly most?: number }[] = [
  { files: 0, log: 8 * MIB },
  { files: 15_000, log: 32 * MIB, most: 100 },
  { files: 1_000_000, log: 2048 * MIB, most: 250 },
];

/** How many files a use of the mount touches, and for how long. */
const TOUCHED = 200;
const BUSY_MS = 3000;

/**
 * What a mount takes of a host's memory: the anonymous memory of all processes of a session, after
 * its use. The device's memory and the code of Node.js, which all processes share, are not of it.
 */
export async function run(): Promise<BenchResult[]> {
  const { mountPool } = await builtSession();
  const results: BenchResult[] = [];
  for (const { files, log, most } of pools) {
    const device = await poolOf(files, log);
    const directory = tempDir('mount');
    const session = await mountPool({ device, directory, hostDirectory: tempDir('host') });
    try {
      use(directory, files);
      const parts = familyOf(session.pid).map((pid) => rssAnon(pid) / MIB);
      const sum = parts.reduce((a, b) => a + b);
      const detail = `${sum.toFixed(1)} MiB: supervisor and serving process ${parts.map((part) => part.toFixed(1)).join(' + ')}`;
      const name = `memory of a session with ${files.toLocaleString('en')} files / ${most ?? 100} MiB`;
      results.push({ name, ratio: sum / (most ?? 100), ...(most === undefined ? {} : { limit: 1 }), detail });
    } finally {
      await session.unmount();
      remove(device);
    }
  }
  return results;
}

/** Looks at everything once, and reads and writes for a while: a heap that has not grown says nothing. */
function use(mount: string, files: number): void {
  if (fs.readdirSync(mount).length !== files) throw new Error(`the mount does not show ${files} volumes`);
  fs.statfsSync(mount);
  if (files === 0) return;
  const random = new Random(1);
  const [page, large] = [Buffer.alloc(4096, 1), Buffer.alloc(MIB, 1)];
  const open = Array.from({ length: TOUCHED }, () => {
    const path = join(mount, volumeName(random.below(files)), 'data');
    fs.statSync(path);
    return fs.openSync(path, 'r+');
  });
  const until = performance.now() + BUSY_MS;
  while (performance.now() < until) {
    for (const fd of open) {
      for (const buffer of [page, large]) {
        const at = random.below(AU / buffer.length) * buffer.length;
        fs.writeSync(fd, buffer, 0, buffer.length, at);
        fs.readSync(fd, buffer, 0, buffer.length, at);
      }
    }
  }
  for (const fd of open) fs.closeSync(fd);
}

/** A process and all below it. */
function familyOf(pid: number): number[] {
  const children = fs.readdirSync(`/proc/${pid}/task`)
    .flatMap((task) => fs.readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').filter(Boolean).map(Number));
  return [pid, ...children.flatMap(familyOf)];
}

/** Bytes. */
function rssAnon(pid: number): number {
  return Number(/^RssAnon:\s*(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'latin1'))![1]) * 1024;
}
