import assert from 'node:assert/strict';
import fs from 'node:fs';
import { openDevice } from '../../../src/famfs/device/open.ts';
import type { MappedMemory } from '../../../src/famfs/device/pool-memory.ts';
import { decodeSuperblock, Superblock } from '../../../src/famfs/format/superblock.ts';
import { MIB } from '../../../src/famfs/units.ts';
import { OpenDevices } from '../../../src/fused/open-devices.ts';
import { newPool } from '../../support/pools.ts';

describe('devices that are looked at again and again', () => {
  let device: string;
  let devices: OpenDevices;

  const uuid = ({ superblock }: MappedMemory) => decodeSuperblock(Buffer.from(superblock.bytes.subarray(0, Superblock.length))).uuid;
  const look = () => devices.look(device, uuid);
  const mappings = () => fs.readFileSync('/proc/self/maps', 'utf8').split('\n').filter((line) => line.includes(device)).length;

  beforeEach(async () => {
    device = await newPool(1);
    devices = new OpenDevices();
  });
  afterEach(() => devices.retain([]));

  it('stay mapped once, until nobody asks for them', () => {
    const [first, second] = [0, 1].map(() => devices.look(device, (memory) => memory));
    assert.equal(first, second);
    assert.equal(mappings(), 1);
    devices.retain([device]);
    assert.equal(mappings(), 1);
    devices.retain([]);
    assert.equal(mappings(), 0);
  });

  it('may be formatted meanwhile, which the next look sees', () => {
    const before = look();
    openDevice(device, { lock: 'exclusive' }).close();
    const raw = openDevice(device);
    raw.superblock.zero(0, Superblock.length);
    assert.notEqual(look(), before);
    assert.equal(mappings(), 1, 'a device without a famfs does not stay open');
    raw.close();
  });

  it('may be replaced, cut short or removed meanwhile', async () => {
    const before = look();
    fs.renameSync(await newPool(1), device);
    const now = look();
    assert.notEqual(now, before);
    fs.truncateSync(device, MIB);
    assert.throws(look, { code: 'DEVICE' });
    fs.rmSync(device);
    assert.throws(look, { code: 'DEVICE' });
  });
});
