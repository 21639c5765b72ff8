import assert from 'node:assert/strict';
import fs from 'node:fs';
import { Populated } from '../../../../src/famfs/device/populated.ts';
import { openMemory, sourceOf } from '../../../../src/famfs/pool/pool-source.ts';
import { MIB } from '../../../../src/famfs/units.ts';
import { shmFile } from '../../../harness/temp.ts';

describe('memory of a device that is faulted in', () => {
  const file = shmFile('device');
  fs.writeFileSync(file, '');
  fs.truncateSync(file, 64 * MIB);
  const memory = openMemory(sourceOf(file));
  const marks = Populated.marks(memory.handle());
  const populated = new Populated(memory.handle(), marks);
  /** Bytes of the file that exist: reading a hole of a mapped file makes its pages. */
  const present = () => fs.statSync(file).blocks * 512;
  after(() => memory.close());

  it('is there before anybody touches it, in pieces', () => {
    assert.equal(populated.ensure(memory.window(32 * MIB + 4096, 4096)), true);
    assert.equal(present(), 64 * 1024);
    assert.equal(populated.ensure(memory.window(33 * MIB - 1, 2)), true);
    assert.equal(present(), 3 * 64 * 1024);
  });

  it('is asked for once, by all threads, until it may have gone', () => {
    fs.truncateSync(file, 4 * MIB);
    fs.truncateSync(file, 64 * MIB);
    const other = new Populated(memory.handle(), marks);
    other.ensure(memory.window(32 * MIB, 4096));
    assert.equal(present(), 0);
    other.forget();
    populated.ensure(memory.window(32 * MIB, 4096));
    assert.equal(present(), 64 * 1024);
  });

  it('is told from what cannot be read, to the page', () => {
    fs.truncateSync(file, 40 * MIB + 4096);
    populated.forget();
    assert.deepEqual([0, 4096, 64 * 1024].map((at) => populated.ensure(memory.window(40 * MIB + at, 4096))), [true, false, false]);
    assert.equal(populated.isReadable(memory.window(40 * MIB, 4097)), false);
    assert.equal(populated.isReadable(memory.window(40 * MIB, 4096)), true);
    fs.truncateSync(file, 64 * MIB);
  });
});
