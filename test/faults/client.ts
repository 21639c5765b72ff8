/**
 * An application on a host: opens a file, maps it, reads and writes. One request a line on standard
 * input, `{"do": ..., ...}`, one answer a line on standard output; a call that hangs hangs this process alone.
 */
import fs from 'node:fs';
import readline from 'node:readline';
import { promisify } from 'node:util';
import koffi from 'koffi';
import { Random } from '../fuzz/random.ts';

export type Request =
  | { readonly do: 'open'; readonly path: string }
  /** Answers the first bytes. */
  | { readonly do: 'read'; readonly length: number }
  /** Maps the file, and reads every page. */
  | { readonly do: 'map' }
  /** Stores into the mapped file. */
  | { readonly do: 'store'; readonly byte: number }
  | { readonly do: 'sync' }
  /** Reads and writes random blocks of a file that holds nothing but `byte`, until `rest`. */
  | { readonly do: 'work'; readonly byte: number; readonly seed: number }
  /** Answers how the work went. */
  | { readonly do: 'rest' };

/** How the work went: blocks that held what they should, calls that found the file gone, and all else in words. */
export interface Work {
  good: number;
  gone: number;
  /** The longest time that a write and the read behind it took. */
  longestMs: number;
  readonly wrong: string[];
}

/** `error`: the errno of a call that failed. */
export interface Answer {
  readonly error?: number;
  readonly bytes?: string;
  readonly work?: Work;
}

const BLOCK = 256 * 1024;
const AT_ONCE = 4;
const ESTALE = -116;
const [READ, WRITE, SHARED, SYNCHRONOUSLY] = [1, 2, 1, 4];
const PAGE = 4096;

class Application {
  #fd = -1;
  #size = 0;
  #address = 0n;
  #memory = Buffer.alloc(0);
  #working: Promise<unknown> = Promise.resolve();
  #resting = false;
  #work: Work = { good: 0, gone: 0, longestMs: 0, wrong: [] };
  readonly #libc = koffi.load(null);

  async answer(request: Request): Promise<Answer> {
    switch (request.do) {
      case 'open':
        this.#fd = fs.openSync(request.path, 'r+');
        this.#size = fs.fstatSync(this.#fd).size;
        return {};
      case 'read': {
        const bytes = Buffer.alloc(request.length);
        fs.readSync(this.#fd, bytes, 0, bytes.length, 0);
        return { bytes: bytes.toString('latin1') };
      }
      case 'map': {
        const mmap = this.#libc.func('void *mmap(void *, size_t, int, int, int, int64_t)');
        this.#address = mmap(null, this.#size, READ | WRITE, SHARED, this.#fd, 0) as bigint;
        this.#memory = Buffer.from(koffi.view(this.#address, this.#size) as ArrayBuffer);
        for (let at = 0; at < this.#size; at += PAGE) this.#memory.readUInt8(at);
        return {};
      }
      case 'store':
        this.#memory.fill(request.byte);
        return {};
      case 'sync': {
        const msync = this.#libc.func('int msync(void *, size_t, int)');
        return msync(this.#address, this.#size, SYNCHRONOUSLY) === 0 ? {} : { error: -koffi.errno() };
      }
      case 'work': {
        this.#resting = false;
        this.#work = { good: 0, gone: 0, longestMs: 0, wrong: [] };
        const random = new Random(request.seed);
        this.#working = Promise.all(Array.from({ length: AT_ONCE }, () => this.#blocks(request.byte, random)));
        return {};
      }
      case 'rest':
        this.#resting = true;
        await this.#working;
        return { work: this.#work };
    }
  }

  async #blocks(byte: number, random: Random): Promise<void> {
    const wanted = Buffer.alloc(BLOCK, byte);
    while (!this.#resting) {
      const at = random.below(this.#size / BLOCK) * BLOCK;
      const bytes = Buffer.alloc(BLOCK);
      const began = performance.now();
      try {
        if (random.chance(2)) await promisify(fs.write)(this.#fd, wanted, 0, BLOCK, at);
        await promisify(fs.read)(this.#fd, bytes, 0, BLOCK, at);
        if (bytes.equals(wanted)) this.#work.good++;
        else this.#work.wrong.push(`at ${at}: byte ${bytes.find((one) => one !== byte)}`);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).errno === ESTALE) this.#work.gone++;
        else this.#work.wrong.push(String(error));
      }
      this.#work.longestMs = Math.max(this.#work.longestMs, performance.now() - began);
    }
  }
}

const application = new Application();
for await (const line of readline.createInterface(process.stdin)) {
  const answer = await application.answer(JSON.parse(line) as Request)
    .catch((error: NodeJS.ErrnoException) => ({ error: error.errno ?? 0, bytes: String(error) }));
  console.log(JSON.stringify(answer));
}
process.exit();
