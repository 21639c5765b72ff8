// Writes or reads a file through mmap: `mapped.mjs write FILE OFFSET TEXT`, `mapped.mjs read FILE OFFSET LENGTH`.
// Runs in a pod of the driver's image, for its Node.js and koffi.
import fs from 'node:fs';
import { createRequire } from 'node:module';

const koffi = createRequire(`${fs.realpathSync(process.env.FAMFS_ROOT)}/package.json`)('koffi');
const libc = koffi.load(null);
const mmap = libc.func('void *mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset)');
const msync = libc.func('int msync(void *addr, size_t length, int flags)');
const munmap = libc.func('int munmap(void *addr, size_t length)');
const [READ, WRITE, SHARED, MS_SYNC] = [1, 2, 1, 4];

const [action, file, offset, argument] = process.argv.slice(2);
const writing = action === 'write';
const fd = fs.openSync(file, writing ? 'r+' : 'r');
const { size } = fs.fstatSync(fd);
const address = mmap(null, size, writing ? READ | WRITE : READ, SHARED, fd, 0);
if (address === 0xffffffffffffffffn) throw new Error(`mmap of ${file}: errno ${koffi.errno()}`);
const memory = new Uint8Array(koffi.view(address, size));
if (writing) {
  memory.set(Buffer.from(argument), Number(offset));
  if (msync(address, size, MS_SYNC) !== 0) throw new Error(`msync of ${file}: errno ${koffi.errno()}`);
} else {
  process.stdout.write(Buffer.from(memory.subarray(Number(offset), Number(offset) + Number(argument))));
}
munmap(address, size);
