import fs from 'node:fs';
import koffi from 'koffi';
import { FamfsError } from '../errors.ts';

/** The few system calls Node.js has no function for. Prebuilt by koffi: nothing is compiled. */
const libc = koffi.load(null);

const mmapCall = libc.func('void *mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset)');
const munmapCall = libc.func('int munmap(void *addr, size_t length)');
const flockCall = libc.func('int flock(int fd, int operation)');
const fallocateCall = libc.func('int fallocate(int fd, int mode, int64_t offset, int64_t length)');
const posixFallocateCall = libc.func('int posix_fallocate(int fd, int64_t offset, int64_t length)');
const memsetCall = libc.func('void *memset(uint64_t addr, int byte, size_t length)');
const memcmpCall = libc.func('int memcmp(uint64_t a, uint64_t b, size_t length)');
const lseekCall = libc.func('int64_t lseek(int fd, int64_t offset, int whence)');
const madviseCall = libc.func('int madvise(uint64_t addr, size_t length, int advice)');

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_FAILED = 0xffffffffffffffffn;
const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;
const MADV_HUGEPAGE = 14;
const MADV_POPULATE_READ = 22;
const MADV_POPULATE_WRITE = 23;
const HUGE_PAGE = 0x200000;
const PAGE = 4096n;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;

/** Address of memory mapped into this process; valid in each of its threads. */
export type Address = bigint;

/**
 * Maps `length` bytes of an open file or device, shared, from its beginning.
 * Throws FamfsError DEVICE with the errno's name.
 */
export function mapShared(fd: number, length: number, writable: boolean, what: string): Address {
  const protection = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  const address = mmapCall(null, length, protection, MAP_SHARED, fd, 0) as bigint;
  if (address === MAP_FAILED) {
    throw new FamfsError('DEVICE', `${what}: mapping ${length} bytes failed: ${errnoName(koffi.errno())}`);
  }
  return address;
}

/** Ends a mapping. Views over it must not be touched afterwards. */
export function unmap(address: Address, length: number): void {
  munmapCall(address, length);
}

/** A view straight onto mapped memory: no copy, and no owner that would free it. */
export function viewOf(address: Address, length: number): ArrayBuffer {
  return koffi.view(address, length) as ArrayBuffer;
}

/** Asks for huge pages behind a large table; without them it is slower, not wrong. */
export function adviseHugePages(memory: ArrayBufferLike): void {
  const address = BigInt(koffi.address(memory));
  const start = (address + BigInt(HUGE_PAGE - 1)) / BigInt(HUGE_PAGE) * BigInt(HUGE_PAGE);
  const length = address + BigInt(memory.byteLength) - start;
  if (length >= HUGE_PAGE) madviseCall(start, length, MADV_HUGEPAGE);
}

/**
 * Lets another thread fault in a part of a table that is about to be filled: clearing pages is much of
 * what filling one costs. Answers at once; kernels before 5.14 do nothing.
 */
export function populateAhead(memory: ArrayBufferLike, offset: number, length: number): void {
  const start = (BigInt(koffi.address(memory)) + BigInt(offset)) / PAGE * PAGE;
  madviseCall.async(start, length, MADV_POPULATE_WRITE, () => void memory); // kept until then
}

/**
 * Faults mapped memory in, as reading it would, but without a signal where it cannot be read. Before
 * Linux 5.14, and for memory of some kinds, the kernel does not do it: nothing is known then.
 */
export function populate(address: Address, length: number): 'present' | 'unreadable' | 'unknown' {
  if (madviseCall(address, length, MADV_POPULATE_READ) === 0) return 'present';
  return errnoName(koffi.errno()) === 'EINVAL' ? 'unknown' : 'unreadable';
}

/** Whether bytes of a mapping can be read now, as far as the kernel tells; without the signal that ends who tries in vain. */
export function isReadable(mapping: Address, offset: number, length: number): boolean {
  const start = offset - (offset % Number(PAGE));
  return length === 0 || populate(mapping + BigInt(start), offset + length - start) !== 'unreadable';
}

/**
 * Takes an advisory lock on an open file without waiting: false when another open file has it.
 * The lock ends with the open file, however its process ends. Throws FamfsError DEVICE where it cannot be
 * had for another reason, such as a file system without locks: then nobody is known to have it.
 */
export function tryLock(fd: number, mode: 'shared' | 'exclusive'): boolean {
  return flock(fd, (mode === 'shared' ? LOCK_SH : LOCK_EX) | LOCK_NB);
}

/** Gives an advisory lock back. Throws FamfsError DEVICE. */
export function unlock(fd: number): void {
  flock(fd, LOCK_UN);
}

/** flock(2). False for EWOULDBLOCK, which Linux calls EAGAIN, too. */
function flock(fd: number, operation: number): boolean {
  for (;;) {
    if (flockCall(fd, operation) === 0) return true;
    const errno = koffi.errno();
    if (errno === koffi.os.errno['EAGAIN']) return false;
    if (errno !== koffi.os.errno['EINTR']) throw new FamfsError('DEVICE', `${pathOf(fd)} cannot be locked: ${errnoName(errno)}`);
  }
}

/** The path of an open file, for messages. */
function pathOf(fd: number): string {
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return `file descriptor ${fd}`;
  }
}

/** Gives a file's first bytes memory or blocks, keeping what they hold; answers the errno's name where it cannot. */
export function allocate(fd: number, length: number): string | undefined {
  for (;;) {
    const errno = posixFallocateCall(fd, 0, length) as number;
    if (errno === 0) return undefined;
    const name = errnoName(errno);
    if (name !== 'EINTR') return name;
  }
}

/** Makes a range of a regular file read as zeros, giving its pages back; false where that is not supported. */
export function punchHole(fd: number, offset: number, length: number): boolean {
  return fallocateCall(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length) === 0;
}

/** `punchHole` in a thread of the pool that Node.js keeps for such calls. */
export async function punchHoleAside(fd: number, offset: number, length: number): Promise<boolean> {
  return await aside(fallocateCall, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length) === 0;
}

/** Zeroes mapped memory in a thread of that pool. */
export async function zeroAside(address: Address, length: number): Promise<void> {
  await aside(memsetCall, address, 0, length);
}

/**
 * The parts of a range of a file that are not holes, in ascending order. Where the file system cannot tell, all of it.
 * Moves the position of the open file, which nobody here uses.
 */
export function* dataParts(fd: number, offset: number, length: number): Generator<{ readonly offset: number; readonly length: number }> {
  const end = offset + length;
  for (let at = offset; at < end;) {
    const data = Number(lseekCall(fd, at, SEEK_DATA));
    if (data < 0 && errnoName(koffi.errno()) === 'ENXIO') return; // none up to the file's end
    const start = data < 0 ? at : data;
    if (start >= end) return;
    const hole = data < 0 ? -1 : Number(lseekCall(fd, start, SEEK_HOLE));
    const stop = hole < 0 ? end : Math.min(hole, end);
    yield { offset: start, length: stop - start };
    at = stop;
  }
}

const zeroPage = Buffer.alloc(Number(PAGE));

/** Whether mapped memory is zero: its first page is, and each byte is that of a page before. */
export function isZeroMemory(address: Address, length: number): boolean {
  const first = Math.min(length, zeroPage.length);
  return isZeroPage(address, first) && (length <= first || memcmpCall(address, address + PAGE, length - first) === 0);
}

/** The same in a thread of that pool. */
export async function isZeroMemoryAside(address: Address, length: number): Promise<boolean> {
  const first = Math.min(length, zeroPage.length);
  return isZeroPage(address, first) && (length <= first || await aside(memcmpCall, address, address + PAGE, length - first) === 0);
}

function isZeroPage(address: Address, length: number): boolean {
  return memcmpCall(address, BigInt(koffi.address(zeroPage)), length) === 0;
}

function aside(call: typeof memsetCall, ...args: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    call.async(...args, (error: Error | null, result: unknown) => (error === null ? resolve(result) : reject(error)));
  });
}

/** The name of an error number of the system, for messages. */
export function errnoName(errno: number): string {
  const name = Object.entries(koffi.os.errno).find(([, value]) => value === errno)?.[0];
  return name ?? `errno ${errno}`;
}
