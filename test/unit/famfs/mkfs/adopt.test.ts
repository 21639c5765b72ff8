import assert from 'node:assert/strict';
import { openDevice } from '../../../../src/famfs/device/open.ts';
import { encodeFormatMarker, FormatMarker } from '../../../../src/famfs/format/format-marker.ts';
import { writeU64 } from '../../../../src/famfs/format/struct.ts';
import { decodeSuperblock, Superblock, superblockCrc } from '../../../../src/famfs/format/superblock.ts';
import { fsck } from '../../../../src/famfs/fsck/fsck.ts';
import { adopt } from '../../../../src/famfs/mkfs/adopt.ts';
import { sourceOf } from '../../../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../../../src/famfs/pool/pool.ts';
import { imageOf } from '../../../support/image.ts';
import { bytesAt } from '../../../support/memory-bytes.ts';
import { AU, file, newHost, newPool, openWriter } from '../../../support/pools.ts';
import { rejects } from '../../../support/rejects.ts';
import { vector } from '../../../support/vectors.ts';

const OTHER = '11111111-2222-4333-8444-555555555555';

describe('adopt', () => {
  it('takes a pool of the reference tools: files stay, free memory becomes zero', async () => {
    const { json, ...bytes } = vector('b-mixed');
    const device = imageOf(bytes, json.device_size);
    const raw = openDevice(device);
    raw.view(16777216, 5).set(Buffer.from('stays')); // small.txt
    raw.view(4 * 2 ** 30 - AU, 4).set(Buffer.from('goes'));
    raw.superblock.store(20000, Buffer.alloc(100_000, 0xaa)); // the reference's mkfs leaves what was there
    raw.close();
    await rejects(openWriter(device), 'FOREIGN', /5a4d3c2b/);
    const host = newHost();
    const { formerOwner } = await adopt(device, { identity: host });
    assert.equal(formerOwner, json.superblock.system_uuid);
    const { pool, writer, stop } = await openWriter(device, host);
    assert.equal(pool.usage().files, 7);
    const small = pool.view.resolve('small.txt');
    assert.equal(bytesAt(pool.memory, pool.view.ranges(small, 0, 1)[0]).toString(), 's');
    assert.equal(bytesAt(pool.memory, { start: 16777216, end: 16777221 })[4], 's'.charCodeAt(0));
    assert(bytesAt(pool.memory, { start: 4 * 2 ** 30 - AU, end: 4 * 2 ** 30 - AU + 4 }).equals(Buffer.alloc(4)));
    writer.create([file('models/new')]);
    stop();
    assert.deepEqual(fsck(device).problems, []);
  });

  it('gives a log life to a pool that has none, and keeps it when repeated', async () => {
    const { json, ...bytes } = vector('b-mixed');
    const device = imageOf(bytes, json.device_size);
    const life = () => {
      const pool = Pool.open(sourceOf(device), { writable: false });
      const { logLife } = pool.replayer.identity;
      pool.close();
      return logLife;
    };
    assert.equal(life(), '');
    const identity = newHost();
    await adopt(device, { identity });
    const first = life();
    assert.match(first, /^[0-9a-f]{16}$/);
    await adopt(device, { identity });
    assert.equal(life(), first);
  });

  it('refuses while another writes', async () => {
    const device = await newPool();
    const host = await openWriter(device);
    await rejects(adopt(device, { identity: newHost('11111111-2222-4333-8444-555555555555') }), 'IN_USE', /in use/);
    host.stop();
  });

  it('finishes what a crash in the middle of it left', async () => {
    const device = await newPool();
    const raw = openDevice(device);
    raw.superblock.store(2048, Buffer.from(raw.superblock.bytes.subarray(0, 200)));
    raw.superblock.store(80, Buffer.alloc(16, 1)); // the owner is new, the CRC still old
    raw.close();
    assert.equal(fsck(device).status, 1);
    await adopt(device, { identity: newHost() });
    assert.equal(fsck(device).status, 0);
  });

  it('keeps every byte of the superblock but the owner and the CRC', async () => {
    const name = Buffer.alloc(64, 0xff);
    for (const text of [name, Buffer.from('\u00e4'.repeat(32)).fill(0xc3, 63), Buffer.alloc(64, 0x1b)]) {
      const device = await newPool(1);
      const raw = openDevice(device);
      const before = Buffer.from(raw.superblock.bytes.subarray(0, Superblock.length));
      text.copy(before, 136); // not under the CRC, as the flags and the bytes between
      before.fill(0x77, 104, 112);
      raw.superblock.store(0, before);
      raw.close();
      const { formerOwner } = await adopt(device, { identity: newHost(OTHER) });
      const again = openDevice(device);
      const after = Buffer.from(again.superblock.bytes.subarray(0, Superblock.length));
      again.close();
      assert.equal(decodeSuperblock(after).systemUuid, OTHER);
      assert.notEqual(formerOwner, OTHER);
      writeU64(after, 96, superblockCrc(after));
      const kept = Buffer.from(after);
      before.copy(kept, 80, 80, 104);
      assert(kept.equals(before));
      assert.equal(fsck(device).status, 0);
    }
  });

  it('does not bring back what a formatting has begun to clear', async () => {
    const device = await newPool(1);
    const raw = openDevice(device);
    raw.superblock.store(Superblock.copyAt, Buffer.from(raw.superblock.bytes.subarray(0, Superblock.length)));
    raw.superblock.store(FormatMarker.at, encodeFormatMarker(OTHER));
    raw.superblock.store64(0, 0n);
    raw.close();
    await rejects(adopt(device, { identity: newHost() }), 'NOT_FAMFS', /magic is 0x0/);
  });
});
