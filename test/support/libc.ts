/** System calls that tests need and Node.js has no function for. */
import fs from 'node:fs';
import koffi from 'koffi';
import { mapShared, unmap, viewOf } from '../../src/famfs/device/libc.ts';

const libc = koffi.load(null);
const getxattrCall = libc.func('int64_t getxattr(const char *path, const char *name, _Out_ uint8_t *value, size_t size)');
const setxattrCall = libc.func('int setxattr(const char *path, const char *name, uint8_t *value, size_t size, int flags)');
const listxattrCall = libc.func('int64_t listxattr(const char *path, _Out_ uint8_t *list, size_t size)');
const fallocateCall = libc.func('int fallocate(int fd, int mode, int64_t offset, int64_t length)');
const lseekCall = libc.func('int64_t lseek(int fd, int64_t offset, int whence)');

/** The result of a call; throws an error with the errno's name as its code, like those of node:fs. */
export function checked(result: number): number {
  if (result >= 0) return result;
  const errno = koffi.errno();
  const code = Object.entries(koffi.os.errno).find(([, value]) => value === errno)?.[0] ?? String(errno);
  throw Object.assign(new Error(code), { code });
}

export function getxattr(path: string, name: string): string {
  const value = Buffer.alloc(8192);
  return value.toString('utf8', 0, checked(Number(getxattrCall(path, name, value, value.length))));
}

export function setxattr(path: string, name: string, value: string): void {
  checked(setxattrCall(path, name, Buffer.from(value), value.length, 0) as number);
}

export function listxattr(path: string): string[] {
  const list = Buffer.alloc(8192);
  return list.toString('utf8', 0, checked(Number(listxattrCall(path, list, list.length)))).split('\0').filter(Boolean);
}

export function fallocate(fd: number, offset: number, length: number): void {
  checked(fallocateCall(fd, 0, offset, length) as number);
}

/** lseek(2) with SEEK_DATA (3) or SEEK_HOLE (4). */
export function lseek(fd: number, offset: number, whence: number): number {
  return checked(Number(lseekCall(fd, offset, whence)));
}

/** Runs `use` on a shared mapping of a file that is open only meanwhile. */
export function withMapping<T>(path: string, length: number, writable: boolean, use: (bytes: Buffer) => T): T {
  const fd = fs.openSync(path, writable ? 'r+' : 'r');
  try {
    const address = mapShared(fd, length, writable, path);
    try {
      return use(Buffer.from(viewOf(address, length)));
    } finally {
      unmap(address, length);
    }
  } finally {
    fs.closeSync(fd);
  }
}
