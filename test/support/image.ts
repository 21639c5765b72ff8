import fs from 'node:fs';
import path from 'node:path';
import os from 'node:os';
import type { DaxDevice } from '../../src/famfs/device/device.ts';
import { openDevice } from '../../src/famfs/device/open.ts';
import { Superblock } from '../../src/famfs/format/superblock.ts';
import type { Vector } from './vectors.ts';

const files: string[] = [];
process.once('exit', () => files.forEach((file) => fs.rmSync(file, { force: true })));

/** A file in memory where there is a tmpfs, removed when the process ends. */
export function imageFile(): string {
  const folder = fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
  const file = path.join(folder, `famfs-test-${process.pid}-${files.length}.img`);
  files.push(file);
  return file;
}

/** A device image of a vector: sparse, with its superblock and log in place. */
export function imageOf(vector: Pick<Vector, 'superblock' | 'log'>, size: number): string {
  const file = imageFile();
  const fd = fs.openSync(file, 'w');
  fs.ftruncateSync(fd, size);
  fs.writeSync(fd, vector.superblock, 0, vector.superblock.length, 0);
  fs.writeSync(fd, vector.log, 0, vector.log.length, Superblock.regionLength);
  fs.closeSync(fd);
  return file;
}

/** Opens an image, and removes it when the work is done. */
export function withImage<T>(vector: Pick<Vector, 'superblock' | 'log'>, size: number, work: (device: DaxDevice) => T): T {
  const file = imageOf(vector, size);
  const device = openDevice(file);
  try {
    return work(device);
  } finally {
    device.close();
    fs.rmSync(file);
  }
}
