/**
 * What fio has no job for: `client.ts open|stat|map-cold|map-again|map-random FILE`. Prints operations
 * or bytes a second. In a process of its own, as an application is.
 */
import fs from 'node:fs';
import { Random } from '../../test/fuzz/random.ts';
import { withMapping } from '../../test/support/libc.ts';

const SECONDS = 1;
const CHUNK = 2 ** 20;
const PAGE = 4096;
const FAULTS = 4000;

const [job, file] = process.argv.slice(2) as [string, string];

/** Repeats some work, which answers how much it was, for a while; what is done a second. */
function rate(work: () => number): number {
  const began = performance.now();
  let done = 0;
  while (performance.now() - began < SECONDS * 1000) done += work();
  return done / ((performance.now() - began) / 1000);
}

/** One pass over a mapped file, as bytes a second. */
function pass(mapped: Buffer, into: Buffer): number {
  const began = performance.now();
  for (let at = 0; at < mapped.length; at += CHUNK) mapped.copy(into, 0, at, at + CHUNK);
  return mapped.length / ((performance.now() - began) / 1000);
}

function measure(): number {
  const { size } = fs.statSync(file);
  switch (job) {
    case 'open':
      return rate(() => {
        fs.closeSync(fs.openSync(file, 'r'));
        return 1;
      });
    case 'stat':
      return rate(() => {
        fs.statSync(file);
        return 1;
      });
    case 'map-cold':
    case 'map-again': {
      const into = Buffer.alloc(CHUNK, 1);
      fs.writeFileSync('/proc/sys/vm/drop_caches', '1');
      let passed = 0;
      withMapping(file, size, false, (mapped) => {
        passed = pass(mapped, into);
        if (job === 'map-again') passed = pass(mapped, into);
      });
      return passed;
    }
    case 'map-random': {
      fs.writeFileSync('/proc/sys/vm/drop_caches', '1');
      const random = new Random(1);
      let faults = 0;
      withMapping(file, size, false, (mapped) => {
        const began = performance.now();
        for (let k = 0; k < FAULTS; k++) mapped.readUInt8(random.below(size / PAGE) * PAGE);
        faults = FAULTS / ((performance.now() - began) / 1000);
      });
      return faults;
    }
    default:
      throw new Error(`no job ${job}`);
  }
}

console.log(measure());
