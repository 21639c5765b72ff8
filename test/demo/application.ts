/**
 * The demo's application, as a pod would run it: it maps a file of the volume into its memory and
 * reads or writes there. It knows nothing of famfs.
 *
 *     node application.ts write FILE OFFSET TEXT
 *     node application.ts read FILE OFFSET LENGTH
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import koffi from 'koffi';

const libc = koffi.load(null);
const mmap = libc.func('void *mmap(void *, size_t, int, int, int, int64_t)');
const msync = libc.func('int msync(void *, size_t, int)');
const munmap = libc.func('int munmap(void *, size_t)');

const READ = 1;
const WRITE = 2;
const SHARED = 1;
const SYNCHRONOUSLY = 4;
const FAILED = 0xffffffffffffffffn;

/** Maps the whole file, lets `use` work on its memory, and makes changes visible to other hosts. */
function withMapping<T>(file: string, writable: boolean, use: (memory: Buffer) => T): T {
  const fd = openSync(file, writable ? 'r+' : 'r');
  try {
    const { size } = fstatSync(fd);
    const address = mmap(null, size, writable ? READ | WRITE : READ, SHARED, fd, 0) as bigint;
    if (address === FAILED) throw new Error(`mmap of ${file} failed (errno ${koffi.errno()})`);
    try {
      const result = use(Buffer.from(koffi.view(address, size) as ArrayBuffer));
      if (writable && msync(address, size, SYNCHRONOUSLY) !== 0) throw new Error('msync failed');
      return result;
    } finally {
      munmap(address, size);
    }
  } finally {
    closeSync(fd);
  }
}

const [action, file, offset, argument] = process.argv.slice(2);
if (action === 'write') {
  withMapping(file, true, (memory) => memory.write(argument, Number(offset)));
} else {
  const end = Number(offset) + Number(argument);
  const text = withMapping(file, false, (memory) => memory.toString('utf8', Number(offset), end));
  process.stdout.write(text);
}
