import fs from 'node:fs';
import { LogHeader } from '../../src/famfs/format/log-header.ts';
import { Superblock } from '../../src/famfs/format/superblock.ts';
import { remove } from '../harness/temp.ts';
import { PoolFixture } from './pool-fixture.ts';

/**
 * Writes the superblock region and the log of another pool of the same size, with one volume, over those of a
 * pool in use, as an image that is restored by mistake. The data of files stays as it is.
 */
export async function freshImage(victim: PoolFixture, volume: string, size: number): Promise<{ uuid: string }> {
  const other = await PoolFixture.make(fs.statSync(victim.path).size);
  other.volume(volume, size);
  const { uuid } = other;
  const metadata = Buffer.alloc(Superblock.regionLength + LogHeader.minimumLogLength);
  const [from, to] = [fs.openSync(other.path, 'r'), fs.openSync(victim.path, 'r+')];
  fs.readSync(from, metadata, 0, metadata.length, 0);
  other.close();
  fs.writeSync(to, metadata, 0, metadata.length, 0);
  for (const fd of [from, to]) fs.closeSync(fd);
  remove(other.path);
  return { uuid };
}
