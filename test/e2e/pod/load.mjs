// Writes, reads back and compares until /tmp/stop appears: `load.mjs FILE`. Quick operations on random
// blocks, and slow ones that stay open for a while, so that whatever happens happens in the middle of
// one. The last line it prints is the sum of it all. Runs in a pod of the driver's image.
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const BLOCK = 4096;
const SLOW_MS = 1500;
const file = process.argv[2];
const { size } = fs.statSync(file);
const half = Math.floor(size / 2 / BLOCK);
const sum = { operations: 0, failures: [], slow: [] };

function block(seed, length) {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 8) bytes.writeDoubleLE(seed + at, at);
  return bytes;
}

async function attempt(work) {
  try {
    await work();
  } catch (error) {
    sum.failures.push(`${new Date().toISOString()} ${error.message}`);
  }
  sum.operations++;
}

/** In the first half of the file. */
function quick() {
  const place = Math.floor(Math.random() * half) * BLOCK;
  const wanted = block(Math.random(), BLOCK);
  const fd = fs.openSync(file, 'r+');
  try {
    fs.writeSync(fd, wanted, 0, BLOCK, place);
    const found = Buffer.alloc(BLOCK);
    fs.readSync(fd, found, 0, BLOCK, place);
    if (!found.equals(wanted)) throw new Error(`block at ${place} does not hold what was written`);
  } finally {
    fs.closeSync(fd);
  }
}

/** In the second half of the file: one of two that overlap in time, each with blocks of its own. */
async function slow(lane) {
  const begin = Date.now();
  const pairs = Math.floor(half / 4);
  const place = (half + 2 * (lane * pairs + Math.floor(Math.random() * pairs))) * BLOCK;
  const wanted = block(Math.random(), 2 * BLOCK);
  const fd = fs.openSync(file, 'r+');
  try {
    fs.writeSync(fd, wanted, 0, BLOCK, place);
    await sleep(SLOW_MS);
    fs.writeSync(fd, wanted, BLOCK, BLOCK, place + BLOCK);
    const found = Buffer.alloc(2 * BLOCK);
    fs.readSync(fd, found, 0, found.length, place);
    if (!found.equals(wanted)) throw new Error(`blocks at ${place} do not hold what was written`);
  } finally {
    fs.closeSync(fd);
  }
  sum.slow.push([begin, Date.now()]);
}

const stopped = () => fs.existsSync('/tmp/stop');
async function quickly() {
  while (!stopped()) {
    for (let count = 0; count < 20; count++) await attempt(quick);
    await sleep(20);
  }
}
async function slowly(lane) {
  while (!stopped()) await attempt(() => slow(lane));
}
/** Two that overlap, so that there is no moment between two operations. */
async function always() {
  const first = slowly(0);
  await sleep(SLOW_MS / 2);
  console.log('loading'); // from now on
  await Promise.all([first, slowly(1)]);
}
await Promise.all([quickly(), always()]);
console.log(JSON.stringify({ ...sum, failures: sum.failures.slice(0, 20), failed: sum.failures.length }));
