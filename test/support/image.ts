import fs from 'node:fs';
import { dirname } from 'node:path';
import type { MappedMemory } from '../../src/famfs/device/pool-memory.ts';
import { Superblock } from '../../src/famfs/format/superblock.ts';
import { openMemory, sourceOf } from '../../src/famfs/pool/pool-source.ts';
import { remove, shmFile } from '../harness/temp.ts';
import type { Vector } from './vectors.ts';

/** A file in memory where there is a tmpfs, removed when the process ends. */
export function imageFile(): string {
  return shmFile('image');
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
export function withImage<T>(vector: Pick<Vector, 'superblock' | 'log'>, size: number, work: (memory: MappedMemory) => T): T {
  const file = imageOf(vector, size);
  const memory = openMemory(sourceOf(file));
  try {
    return work(memory);
  } finally {
    memory.close();
    remove(dirname(file));
  }
}
