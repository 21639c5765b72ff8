/** Replays in a process of their own: prints the times of a CRC pass and of the replay, round by round. */
import { crc32 } from 'node:zlib';
import { setTimeout as sleep } from 'node:timers/promises';
import { entryOffset } from '../src/famfs/format/log-header.ts';
import { Replayer } from '../src/famfs/log/replayer.ts';
import { openMemory, sourceOf } from '../src/famfs/pool/pool-source.ts';
import { ENTRIES, LOG, volumeName } from './million.ts';

const ROUNDS = 10;

const memory = openMemory(sourceOf(process.argv[2]), { writable: false });
const bytes = memory.log(LOG).bytes.subarray(entryOffset(0), entryOffset(ENTRIES));
crc32(bytes); // the page tables are nobody's work
const rounds: { pass: number; replay: number }[] = [];
for (let round = 0; round < ROUNDS; round++) {
  const start = performance.now();
  crc32(bytes);
  const middle = performance.now();
  const { view } = Replayer.create(memory);
  if (view.resolve(`${volumeName(ENTRIES / 2 - 1)}/data`) !== ENTRIES + 1) throw new Error('the last volume is missing');
  rounds.push({ pass: middle - start, replay: performance.now() - middle });
  await sleep(100); // the index of this round goes, and its memory with it
}
console.log(JSON.stringify(rounds));
