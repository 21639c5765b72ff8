/**
 * Process: a directory through fuse-native, with direct I/O or through the page cache:
 * `native-server.ts MODULE SOURCE DIRECTORY never|auto`.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

type Done = (result: number, value?: unknown) => void;
type Fuse = new (directory: string, operations: object, options: object) => { mount(done: (error?: Error) => void): void };

const [module, source, directory, caching] = process.argv.slice(2) as [string, string, string, string];
const FuseNative = createRequire(import.meta.url)(module) as Fuse;

/** Answers the result of some work, or its errno, a negative number. */
function answer(done: Done, work: () => unknown): void {
  try {
    done(0, work());
  } catch (error) {
    done((error as NodeJS.ErrnoException).errno!);
  }
}

/** READ and WRITE answer a length in its place. */
function answerLength(done: Done, work: () => number): void {
  try {
    done(work());
  } catch (error) {
    done((error as NodeJS.ErrnoException).errno!);
  }
}

const operations = {
  getattr: (path: string, done: Done) => answer(done, () => fs.lstatSync(join(source, path))),
  readdir: (path: string, done: Done) => answer(done, () => fs.readdirSync(join(source, path))),
  open: (path: string, flags: number, done: Done) => answer(done, () => fs.openSync(join(source, path), flags)),
  release: (_path: string, fd: number, done: Done) => answer(done, () => fs.closeSync(fd)),
  read: (_path: string, fd: number, into: Buffer, length: number, at: number, done: Done) => answerLength(done, () => fs.readSync(fd, into, 0, length, at)),
  write: (_path: string, fd: number, from: Buffer, length: number, at: number, done: Done) => answerLength(done, () => fs.writeSync(fd, from, 0, length, at)),
};

// It has no option for direct I/O, and hands on what stands in this one.
const fsname = caching === 'never' ? 'bench,direct_io,attr_timeout=0,entry_timeout=0' : 'bench';
new FuseNative(directory, operations, { fsname }).mount((error) => {
  if (error) throw error;
});
