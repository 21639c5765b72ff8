/**
 * An application that reads and writes a file of a pool without a pause and checks all that it gets:
 * `survival-client.ts reader|writer FILE SEED`. Ends with its standard input; its last words are the sum.
 */
import fs from 'node:fs';
import { promisify } from 'node:util';
import { Random } from '../fuzz/random.ts';
import { repeatUntilInputEnds } from './tally.ts';

const SIZES = [4096, 4096, 4096, 64 * 1024, 1024 * 1024];
const [read, write, open, close] = [promisify(fs.read), promisify(fs.write), promisify(fs.open), promisify(fs.close)];

/** What a file holds that nobody has written to yet. */
export function contentOf(length: number, seed: number): Buffer {
  const words = new Uint32Array(length / 4);
  for (let k = 0; k < words.length; k++) words[k] = Math.imul(k ^ seed, 0x9e3779b1);
  return Buffer.from(words.buffer);
}

async function work(role: string, file: string, seed: number): Promise<void> {
  const random = new Random(seed);
  const expected = contentOf(fs.statSync(file).size, seed);
  await repeatUntilInputEnds(async () => {
    const length = SIZES[random.below(SIZES.length)]!;
    const at = random.below((expected.length - length) / 4096 + 1) * 4096;
    const wanted = expected.subarray(at, at + length);
    const fd = await open(file, role === 'reader' ? 'r' : 'r+');
    if (role === 'writer') {
      wanted.fill(random.below(256), random.below(length));
      await write(fd, wanted, 0, length, at);
    }
    const { buffer, bytesRead } = await read(fd, Buffer.alloc(length), 0, length, at);
    await close(fd);
    return bytesRead === length && buffer.equals(wanted) ? undefined : `${bytesRead} of ${length} bytes at ${at}`;
  });
}

if (import.meta.main) {
  const [role, file, seed] = process.argv.slice(2) as [string, string, string];
  await work(role, file, Number(seed));
}
