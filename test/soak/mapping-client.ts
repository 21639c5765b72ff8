/**
 * An application that maps a file again and again, writes to it and checks what it holds, by the
 * mapping and, once that is closed, by reads: `mapping-client.ts FILE SEED`. The file holds zeros at first.
 */
import fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { repeatUntilInputEnds } from '../faults/tally.ts';
import { Random } from '../fuzz/random.ts';
import { withMapping } from '../support/libc.ts';

const PAGE = 4096;
/** Pages written and pages read in one mapping. */
const TOUCHED = 64;

const [file, seed] = process.argv.slice(2) as [string, string];
const random = new Random(Number(seed));
const expected = Buffer.alloc(fs.statSync(file).size);
const pageOf = (bytes: Buffer, page: number) => bytes.subarray(page * PAGE, (page + 1) * PAGE);
const somePages = () => Array.from({ length: TOUCHED }, () => random.below(expected.length / PAGE));

function writeAndCompare(mapped: Buffer): string | undefined {
  for (const page of somePages()) {
    pageOf(expected, page).fill(random.below(256), random.below(PAGE));
    pageOf(expected, page).copy(mapped, page * PAGE);
  }
  const wrong = somePages().find((page) => !pageOf(mapped, page).equals(pageOf(expected, page)));
  return wrong === undefined ? undefined : `page ${wrong}, as mapped`;
}

function readAndCompare(): string | undefined {
  const fd = fs.openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(PAGE);
    const wrong = somePages().find((page) => fs.readSync(fd, bytes, 0, PAGE, page * PAGE) !== PAGE || !bytes.equals(pageOf(expected, page)));
    return wrong === undefined ? undefined : `page ${wrong}, as read`;
  } finally {
    fs.closeSync(fd);
  }
}

await repeatUntilInputEnds(async () => {
  await setImmediate(); // or its input would never be heard to end
  return withMapping(file, expected.length, true, writeAndCompare) ?? readAndCompare();
});
