/**
 * Thread of the coherence test: a writer of one file on one mount, or a reader of it on another.
 *
 * A block of words, all equal, is written again and again with the next number. In shared memory,
 * `started` says which number the writer has begun to write, `acknowledged` which one is written.
 * Whatever a reader finds in any word must lie between what was acknowledged before its read began
 * and what was started when it ended. Copying a block is not atomic, so words may differ.
 */
import fs from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { withMapping } from './libc.ts';

export interface CoherenceTask {
  role: 'writer' | 'reader';
  /** How the file is accessed; with `mmap` each access opens, maps, unmaps and closes. */
  access: 'read/write' | 'mmap';
  path: string;
  /** Two words: started, acknowledged. */
  progress: SharedArrayBuffer;
  /** Changes that a reader has to see. */
  changes: number;
  /** One word: readers that have yet to see some; nobody ends before. */
  unfinished: SharedArrayBuffer;
}

export interface CoherenceResult {
  role: 'writer' | 'reader';
  accesses: number;
  /** Reads that found another number than the one before. */
  changes: number;
  /** The first reads that found what they must not. */
  violations: string[];
  violationCount: number;
}

const WORDS = 2048; // two pages
const OFFSET = 4096 * 3;
const LENGTH = WORDS * 4;
const MOST_SHOWN = 5;

const task = workerData as CoherenceTask;
const progress = new Uint32Array(task.progress);
const unfinished = new Int32Array(task.unfinished);
const block = new Uint32Array(WORDS);
const bytes = Buffer.from(block.buffer);
const result: CoherenceResult = { role: task.role, accesses: 0, changes: 0, violations: [], violationCount: 0 };

function write(fd: number): void {
  const number = progress[0] + 1;
  Atomics.store(progress, 0, number);
  block.fill(number);
  if (task.access === 'read/write') fs.writeSync(fd, bytes, 0, LENGTH, OFFSET);
  else withMapping(task.path, OFFSET + LENGTH, true, (mapped) => bytes.copy(mapped, OFFSET));
  Atomics.store(progress, 1, number);
}

let last = 0;

function read(fd: number): void {
  const least = Atomics.load(progress, 1);
  if (task.access === 'read/write') fs.readSync(fd, bytes, 0, LENGTH, OFFSET);
  else withMapping(task.path, OFFSET + LENGTH, false, (mapped) => mapped.copy(bytes, 0, OFFSET));
  const most = Atomics.load(progress, 0);
  for (let k = 0; k < WORDS; k++) {
    if (block[k] >= least && block[k] <= most) continue;
    result.violationCount++;
    if (result.violations.length < MOST_SHOWN) {
      result.violations.push(`word ${k} is ${block[k]}; ${least} was acknowledged before, ${most} started`);
    }
    break;
  }
  if (block[0] !== last) result.changes++;
  last = block[0];
}

const fd = fs.openSync(task.path, task.role === 'writer' ? 'r+' : 'r');
while (Atomics.load(unfinished, 0) > 0) {
  if (task.role === 'writer') {
    write(fd);
  } else {
    const before = result.changes;
    read(fd);
    if (before < task.changes && result.changes >= task.changes) Atomics.sub(unfinished, 0, 1);
  }
  result.accesses++;
}
fs.closeSync(fd);
parentPort!.postMessage(result);
