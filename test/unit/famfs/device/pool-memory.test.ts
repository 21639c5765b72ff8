import assert from 'node:assert/strict';
import fs from 'node:fs';
import { openDevice } from '../../../../src/famfs/device/open.ts';
import { poolAddress } from '../../../../src/famfs/device/pool-address.ts';
import { deviceEnd, MappedMemory } from '../../../../src/famfs/device/pool-memory.ts';
import { Populated } from '../../../../src/famfs/device/populated.ts';
import { MIB } from '../../../../src/famfs/units.ts';
import { shmFile } from '../../../harness/temp.ts';
import { bytesAt, fillRanges } from '../../../support/memory-bytes.ts';

/** Of the second device. */
const at = (offset: number) => poolAddress(1, offset);

function sparse(size: number): string {
  const file = shmFile('device');
  fs.writeFileSync(file, '');
  fs.truncateSync(file, size);
  return file;
}

describe('the memory of a pool of two devices', () => {
  let files: string[];
  let memory: MappedMemory;

  beforeEach(() => {
    files = [sparse(32 * MIB), sparse(16 * MIB)];
    memory = new MappedMemory(files.map((file) => openDevice(file)));
  });

  afterEach(() => memory.close());

  it('reads, writes and zeroes on the device that an address names', async () => {
    fillRanges(memory, [{ start: 4 * MIB, end: 5 * MIB }], 1);
    fillRanges(memory, [{ start: at(4 * MIB), end: at(5 * MIB) }], 2);
    assert.deepEqual([4 * MIB, at(4 * MIB)].map((start) => bytesAt(memory, { start, end: start + 2 })), [Buffer.from([1, 1]), Buffer.from([2, 2])]);
    assert.deepEqual(files.map((file) => readAt(file, 4 * MIB)), [1, 2]);
    memory.zero(at(4 * MIB), MIB / 2);
    await memory.zeroAside(at(4.5 * MIB), MIB / 2);
    assert.ok(bytesAt(memory, { start: at(4 * MIB), end: at(5 * MIB) }).every((byte) => byte === 0));
    assert.deepEqual(files.map((file) => readAt(file, 4 * MIB)), [1, 0]);
  });

  it('has windows that know their address, in other threads too', () => {
    const other = MappedMemory.attach(memory.handle());
    const window = other.window(at(8 * MIB), 4096);
    window.bytes.fill(7);
    assert.equal(window.address, at(8 * MIB));
    assert.equal(readAt(files[1], 8 * MIB), 7);
  });

  it('has superblock and log on the first device', () => {
    memory.superblock.store64(0, 0x1234n);
    memory.log(8 * MIB).store64(0, 0x5678n);
    assert.deepEqual([0, 2 * MIB].map((offset) => readAt(files[0], offset)), [0x34, 0x78]);
    assert.deepEqual([memory.path, memory.devices.map(({ size }) => size / MIB)], [files[0], [32, 16]]);
  });

  it('lets no range reach from one device into another, into a superblock, or to a device that is not there', () => {
    for (const [address, length] of [[32 * MIB - 4, 8], [at(16 * MIB - 4), 8], [at(MIB), 8], [poolAddress(2, 4 * MIB), 8], [poolAddress(1, 0) - 4, 8]]) {
      assert.throws(() => memory.window(address, length), RangeError, `${length} bytes at ${address}`);
      assert.throws(() => memory.read(address, Buffer.alloc(length)), RangeError);
      assert.throws(() => memory.write(address, Buffer.alloc(length)), RangeError);
      assert.throws(() => memory.zero(address, length), RangeError);
    }
    assert.deepEqual([deviceEnd(memory, 5 * MIB), deviceEnd(memory, at(5 * MIB))], [32 * MIB, at(16 * MIB)]);
  });

  it('tells what cannot be read by the device that lacks it', () => {
    fs.truncateSync(files[1], 8 * MIB);
    assert.deepEqual([8 * MIB, at(8 * MIB), at(8 * MIB - 4096)].map((address) => memory.isReadable(address, 4096)), [true, false, true]);
    const populated = new Populated(memory.handle(), Populated.marks(memory.handle()));
    assert.deepEqual([8 * MIB, at(8 * MIB), at(4 * MIB)].map((address) => populated.ensure(memory.window(address, 4096))), [true, false, true]);
    fs.truncateSync(files[1], 16 * MIB);
  });

  it('faults memory in where it is asked for, and on no other device', () => {
    const populated = new Populated(memory.handle(), Populated.marks(memory.handle()));
    populated.ensure(memory.window(at(16 * MIB - 4096), 4096));
    assert.deepEqual(files.map((file) => fs.statSync(file).blocks * 512), [0, 64 * 1024]);
  });

  it('is closed on all its devices at once', () => {
    memory.close();
    assert.deepEqual([memory.closed, ...memory.devices.map(({ closed }) => closed)], [true, true, true]);
  });
});

function readAt(file: string, offset: number): number {
  const fd = fs.openSync(file, 'r');
  const bytes = Buffer.alloc(1);
  fs.readSync(fd, bytes, 0, 1, offset);
  fs.closeSync(fd);
  return bytes[0];
}
