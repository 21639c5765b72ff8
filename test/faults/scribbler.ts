/**
 * A host that has the pool's memory and stores nonsense into its metadata: `scribbler.ts DEVICE SEED FIRST COUNT`,
 * where COUNT entries from FIRST on are those of volumes in use.
 * A second of storms, a second of calm, until SIGTERM. What it stored it puts back after a while, where
 * nobody else has: so that the pool's writer comes to work in between, and more can be spoilt.
 * Prints what it did.
 */
import { openDevice } from '../../src/famfs/device/open.ts';
import { LogHeader } from '../../src/famfs/format/log-header.ts';
import { Superblock } from '../../src/famfs/format/superblock.ts';
import { Random } from '../fuzz/random.ts';
import { scribbles } from './scribbles.ts';

const [path, seed, first, count] = process.argv.slice(2);
const inUse = { first: Number(first), count: Number(count) };
const random = new Random(Number(seed));
const device = openDevice(path);
const counters = device.log(LogHeader.minimumLogLength);
const slotsTotal = Math.floor((LogHeader.minimumLogLength - LogHeader.length) / 544);
/** Superblock region and log, which follow each other. */
const metadata = Buffer.from(device.superblock.bytes.buffer, device.superblock.bytes.byteOffset, Superblock.regionLength + LogHeader.minimumLogLength);
const slotsUsed = () => Math.max(8, Math.min(slotsTotal - 32, Number(counters.load64(LogHeader.nextIndexOffset))));
const done = new Map<string, number>();
/** What stands there now and has to go again. */
const standing = new Map<() => void, { from: number; to: number }>();
const STORM_MS = 1000;
const EVERY_MS = 20;
const LONGEST_MS = 100;
let known = slotsUsed();

function scribble(): void {
  const storm = Math.floor(performance.now() / STORM_MS) % 2 === 0;
  if (!storm) {
    if (standing.size === 0) known = slotsUsed();
    return;
  }
  const name = random.pick(Object.keys(scribbles));
  const { at, bytes } = scribbles[name]({ metadata, slotsUsed: known, slotsTotal, inUse }, random);
  const to = at + bytes.length;
  if ([...standing.values()].some((other) => other.from < to && at < other.to)) return; // it could not be put back
  const before = Buffer.from(metadata.subarray(at, to));
  metadata.set(bytes, at);
  done.set(name, (done.get(name) ?? 0) + 1);
  const putBack = () => {
    if (metadata.subarray(at, to).equals(bytes)) metadata.set(before, at);
    standing.delete(putBack);
  };
  standing.set(putBack, { from: at, to });
  setTimeout(putBack, random.below(LONGEST_MS));
}

const timer = setInterval(scribble, EVERY_MS);
process.once('SIGTERM', () => {
  clearInterval(timer);
  for (const putBack of [...standing.keys()]) putBack();
  console.log(JSON.stringify(Object.fromEntries(done)));
});
