import fs from 'node:fs';
import path from 'node:path';
import { tryLock, unlock } from '../../device/libc.ts';
import { bootId } from '../../host.ts';
import { makePrivateFolder } from '../../private-folder.ts';
import { allocateHostFile } from './host-file.ts';
import { Header, TABLE } from './overrides-layout.ts';

/** The file of the override table of one life of a pool's log. */
const tableFile = (hostDirectory: string, poolUuid: string, logLife: string) =>
  path.join(hostDirectory, 'overrides', logLife === '' ? poolUuid : `${poolUuid}-${logLife}`);

/** Opens a table's file, which is made where there is none, or made anew after a reboot. Throws FamfsError NO_SPACE. */
export function openTable(hostDirectory: string, poolUuid: string, logLife: string): { readonly file: string; readonly fd: number } {
  const file = tableFile(hostDirectory, poolUuid, logLife);
  linkEarlier(tableFile(hostDirectory, poolUuid, ''), file);
  makePrivateFolder(path.dirname(file));
  const fd = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
  try {
    lockFile(fd);
    prepare(fd, file);
    unlock(fd);
    return { file, fd };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

/** Removes a table, under each of its names. */
export function removeTable(hostDirectory: string, poolUuid: string, logLife: string): void {
  for (const life of ['', logLife]) fs.rmSync(tableFile(hostDirectory, poolUuid, life), { force: true });
}

/** Waits for the lock of an open file: its holders keep it for microseconds. */
export function lockFile(fd: number): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  while (!tryLock(fd, 'exclusive')) Atomics.wait(pause, 0, 0, 1);
}

/** Writes the header of a new table, or of one that an earlier boot left behind. All of it gets its memory, also where a version before has left holes. */
function prepare(fd: number, file: string): void {
  const header = Buffer.alloc(TABLE.headerBytes);
  fs.readSync(fd, header, 0, header.length, 0);
  const boot = Buffer.from(bootId().replaceAll('-', ''), 'hex');
  const words = new Uint32Array(header.buffer, header.byteOffset, header.length / 4);
  const valid = words[Header.magic] === TABLE.magic && words[Header.slots] === TABLE.slots &&
    header.subarray(Header.boot * 4, Header.boot * 4 + boot.length).equals(boot);
  if (valid) return allocateHostFile(fd, TABLE.length, file);
  header.fill(0);
  words[Header.magic] = TABLE.magic;
  words[Header.slots] = TABLE.slots;
  const now = Math.floor(Date.now() / 1000);
  words[Header.born] = now % 0x1_0000_0000;
  words[Header.born + 1] = Math.floor(now / 0x1_0000_0000);
  boot.copy(header, Header.boot * 4);
  fs.ftruncateSync(fd, 0);
  allocateHostFile(fd, TABLE.length, file);
  fs.writeSync(fd, header, 0, header.length, 0);
}

/**
 * A table that an earlier version has made, under the pool's UUID alone, gets its name of today as well: that version
 * may still be at work on this host. It belongs to the first log life that asks for it.
 */
function linkEarlier(earlier: string, file: string): void {
  if (file === earlier || fs.existsSync(file) || fs.statSync(earlier, { throwIfNoEntry: false })?.nlink !== 1) return;
  try {
    fs.linkSync(earlier, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error; // another process was faster
  }
}
