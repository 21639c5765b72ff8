/** When mkfs must not go on: another formatting, another writer, or what is left of a file system. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { openDevice } from '../../../../src/famfs/device/open.ts';
import { FamfsError } from '../../../../src/famfs/errors.ts';
import { encodeFormatMarker, FormatMarker, hasFormatMarker } from '../../../../src/famfs/format/format-marker.ts';
import { writeU64 } from '../../../../src/famfs/format/struct.ts';
import { decodeSuperblock, Superblock, superblockCrc, withMagic } from '../../../../src/famfs/format/superblock.ts';
import { fsck } from '../../../../src/famfs/fsck/fsck.ts';
import { Formatting } from '../../../../src/famfs/mkfs/formatting.ts';
import { mkfs } from '../../../../src/famfs/mkfs/mkfs.ts';
import { MIB } from '../../../../src/famfs/units.ts';
import { shmFile } from '../../../harness/temp.ts';
import { CLUSTER, newPool, openWriter } from '../../../support/pools.ts';
import { head, patch } from '../../../support/raw-bytes.ts';
import { rejects } from '../../../support/rejects.ts';

const ANOTHER = 'deadbeef-0000-4000-8000-000000000000';
const nobody = (): void => undefined;

/** A sparse device with nothing on it. */
function blank(size = 16 * MIB): string {
  const device = shmFile('blank');
  fs.writeFileSync(device, '');
  fs.truncateSync(device, size);
  return device;
}

function superblock(device: string): Buffer {
  return head(device).subarray(0, Superblock.length);
}

const overtaken = (error: unknown) => error instanceof FamfsError && error.code === 'IN_USE' && /somebody else has begun/.test(error.message);

describe('the marker of a formatting', () => {
  it('has the bytes of the documented layout, and is gone when the pool is there', async () => {
    const marker = encodeFormatMarker(ANOTHER);
    assert.equal(marker.toString('hex'), '66616d6673666d740100000000000000deadbeef000040008000000000000000aa59101700000000');
    assert(!hasFormatMarker(head(await newPool(1))));
  });

  it('stands before the magic goes', async () => {
    const device = openDevice(await newPool(1));
    const formatting = new Formatting(device);
    const before = Buffer.from(device.superblock.bytes.subarray(0, 8));
    assert.throws(() => formatting.begin(() => {
      assert(hasFormatMarker(device.superblock.bytes));
      assert.deepEqual(Buffer.from(device.superblock.bytes.subarray(0, 8)), before);
      throw new Error('enough');
    }), /enough/);
    device.close();
  });

  it('lets one of two go on, wherever the other stopped', async () => {
    const device = openDevice(await newPool(1));
    const bytes = Buffer.from(device.superblock.bytes.subarray(0, Superblock.length));
    const early = new Formatting(device);
    const first = new Formatting(device);
    first.begin(nobody);
    first.mustGoOn();
    assert.throws(() => early.begin(nobody), overtaken, 'judged before the other began');
    first.mustGoOn();
    const second = new Formatting(device); // forced
    second.begin(nobody);
    assert.throws(() => first.mustGoOn(), overtaken);
    assert.throws(() => first.clearSuperblock(65536), overtaken);
    assert.throws(() => first.end(bytes), overtaken);
    second.clearSuperblock(65536);
    second.end(bytes);
    assert.throws(() => first.mustGoOn(), overtaken, 'the other has ended');
    assert.throws(() => first.end(bytes), overtaken);
    assert.deepEqual(Buffer.from(device.superblock.bytes.subarray(0, Superblock.length)), bytes);
    assert(!hasFormatMarker(device.superblock.bytes));
    device.close();
  });

  it('looks again at what was judged: the other may have ended meanwhile', async () => {
    const device = openDevice(blank());
    const late = new Formatting(device);
    const first = new Formatting(device);
    first.begin(nobody);
    first.end(superblock(await newPool(1)));
    assert.throws(() => late.begin(nobody), overtaken);
    assert(!hasFormatMarker(device.superblock.bytes));
    device.close();
  });
});

describe('mkfs and another formatting', () => {
  it('stops without a further store when another begins meanwhile', async () => {
    const device = await newPool(80);
    patch(device, 150 * MIB, Buffer.from('data of the other pool'));
    const stolen = encodeFormatMarker(ANOTHER);
    let after: Buffer | undefined;
    await rejects(mkfs(device, {
      clusterUuid: CLUSTER, force: true,
      report: () => {
        if (after !== undefined) return;
        patch(device, FormatMarker.at, stolen);
        after = fs.readFileSync(device);
      },
    }), 'IN_USE', /somebody else has begun to format/);
    assert(after?.equals(fs.readFileSync(device)));
    assert(after?.includes('data of the other pool'));
  });

  it('leaves the pool alone that another made while it was paused', async () => {
    const device = await newPool(80);
    let after: Buffer | undefined;
    const own = superblock(device);
    await rejects(mkfs(device, {
      clusterUuid: CLUSTER, force: true,
      report: () => {
        if (after !== undefined) return;
        patch(device, FormatMarker.at, Buffer.alloc(FormatMarker.length));
        patch(device, 0, own);
        after = fs.readFileSync(device);
      },
    }), 'IN_USE', /somebody else has begun/);
    assert(after?.equals(fs.readFileSync(device)));
  });

  it('refuses a device with a marker unless forced, also a torn one or a later one', async () => {
    const torn = encodeFormatMarker(ANOTHER).fill(0, 16);
    const later = encodeFormatMarker(ANOTHER).fill(9, 8, 9);
    for (const marker of [encodeFormatMarker(ANOTHER), torn, later]) {
      const device = blank();
      patch(device, FormatMarker.at, marker);
      await rejects(mkfs(device, { clusterUuid: CLUSTER }), 'EXISTS', /being formatted .* or a formatting of it was interrupted; --force/);
      assert(hasFormatMarker(head(device)));
      await mkfs(device, { clusterUuid: CLUSTER, force: true });
      assert(!hasFormatMarker(head(device)));
      assert.equal(fsck(device).status, 0);
    }
  });

  it('does not remove a new file that another has taken', async () => {
    const device = blank();
    patch(device, FormatMarker.at, encodeFormatMarker(ANOTHER));
    await rejects(mkfs(device, { clusterUuid: CLUSTER, simulate: 16 * MIB }), 'EXISTS', /interrupted/);
    assert(fs.existsSync(device));
  });
});

describe('mkfs and what is left of a file system', () => {
  const flip = (bytes: Buffer, at: number) => bytes.fill(bytes[at] ^ 1, at, at + 1);
  const strange = (bytes: Buffer) => {
    writeU64(bytes, 32, 2 ** 30);
    writeU64(bytes, 96, superblockCrc(bytes));
    return bytes;
  };
  const cases: [string, (bytes: Buffer) => Buffer, RegExp][] = [
    ['a flipped bit of its UUID', (bytes) => flip(bytes, 50), /damaged \(superblock: CRC is/],
    ['a flipped bit of its CRC', (bytes) => flip(bytes, 96), /damaged \(superblock: CRC is/],
    ['a flipped bit of its magic', (bytes) => flip(bytes, 0), /damaged \(superblock: magic is/],
    ['a strange allocation unit', strange, /allocation unit 1073741824 is not supported/],
    ['a magic and nothing else', (bytes) => withMagic(bytes.fill(0)), /version is 0|version 0/],
  ];
  for (const [what, damage, text] of cases) {
    it(`refuses ${what}, unless forced`, async () => {
      const device = await newPool(1);
      patch(device, 0, damage(superblock(device)));
      const before = fs.readFileSync(device);
      await rejects(mkfs(device, { clusterUuid: CLUSTER }), 'EXISTS', text);
      assert(before.equals(fs.readFileSync(device)));
      await mkfs(device, { clusterUuid: CLUSTER, force: true });
      assert.equal(fsck(device).status, 0);
    });
  }

  it('refuses a sound copy of the superblock, whatever stands in its place', async () => {
    for (const wrong of [Buffer.alloc(200), Buffer.alloc(200, 0xff)]) {
      const device = await newPool(1);
      const { uuid } = decodeSuperblock(superblock(device));
      patch(device, 2048, superblock(device));
      patch(device, 0, wrong);
      await rejects(mkfs(device, { clusterUuid: CLUSTER }), 'EXISTS', new RegExp(`${uuid}, damaged .*"famfs-csi adopt" may repair it`));
    }
  });

  it('formats garbage without force', async () => {
    const device = blank();
    patch(device, 0, Buffer.alloc(2 * MIB, 0xa5));
    await mkfs(device, { clusterUuid: CLUSTER });
    assert.equal(fsck(device).status, 0);
    assert.equal((await openWriter(device)).writer.epoch, 1);
  });
});
