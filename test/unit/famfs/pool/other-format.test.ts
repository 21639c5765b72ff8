/** A superblock of another format version: sound, and not ours to touch. */
import assert from 'node:assert/strict';
import { writeU64 } from '../../../../src/famfs/format/struct.ts';
import { Superblock, superblockCrc, withMagic } from '../../../../src/famfs/format/superblock.ts';
import { fsck } from '../../../../src/famfs/fsck/fsck.ts';
import { adopt } from '../../../../src/famfs/mkfs/adopt.ts';
import { mkfs } from '../../../../src/famfs/mkfs/mkfs.ts';
import { sourceOf } from '../../../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../../../src/famfs/pool/pool.ts';
import { PoolWriter } from '../../../../src/famfs/writer/writer.ts';
import { identifyPools } from '../../../../src/fused/identify.ts';
import { OpenDevices } from '../../../../src/fused/open-devices.ts';
import { AU, CLUSTER, file, METADATA, newHost, newPool, openWriter } from '../../../support/pools.ts';
import { head, patch } from '../../../support/raw-bytes.ts';
import { rejects } from '../../../support/rejects.ts';

const WHOLE = METADATA + AU;

/** Gives the superblock of a pool a format version, with the CRC that it should have. */
function setFormat(device: string, major: number, minor: number): void {
  const bytes = head(device, Superblock.length);
  bytes.writeUInt32LE(major, 40);
  bytes.writeUInt32LE(minor, 44);
  writeU64(bytes, Superblock.crcLength, superblockCrc(bytes));
  patch(device, 0, bytes);
}

describe('a superblock whose major format version is not ours', () => {
  for (const major of [1, 3]) {
    it(`is left as it is by whatever writes, and fsck could not look: ${major}.0`, async () => {
      const device = await newPool(1);
      const early = Pool.open(sourceOf(device));
      // What an interrupted adopt has left must not be stored over it.
      patch(device, Superblock.copyAt, head(device, Superblock.length));
      setFormat(device, major, 0);
      const before = head(device, WHOLE);
      const identity = newHost();
      const version = new RegExp(`format version is ${major}\\.0`);
      const { status, failure } = fsck(device);
      assert.equal(status, 2);
      assert.match(failure!, version);
      assert.throws(() => Pool.open(sourceOf(device)), { code: 'UNSUPPORTED', message: version });
      await rejects(PoolWriter.acquire(early, { identity }), 'UNSUPPORTED', version);
      early.close();
      await rejects(adopt(device, { identity, assumeStopped: true }), 'UNSUPPORTED', version);
      const existing = new RegExp(`holds a famfs of format ${major}\\.0.*--force`);
      await rejects(mkfs(device, { clusterUuid: CLUSTER }), 'EXISTS', existing);
      await rejects(mkfs(device, { clusterUuid: CLUSTER, onlyEmpty: true, force: true }), 'EXISTS', existing);
      const [{ uuid, problem }] = identifyPools([{ name: 'p0', device }], new OpenDevices());
      assert.equal(uuid, '');
      assert.match(problem!, version);
      assert(before.equals(head(device, WHOLE)));
    });
  }

  it('is known by mkfs where its magic is gone, or only its copy is left', async () => {
    const device = await newPool(1);
    setFormat(device, 3, 1);
    const whole = head(device, Superblock.length);
    patch(device, 0, Buffer.alloc(8));
    await rejects(mkfs(device, { clusterUuid: CLUSTER }), 'EXISTS', /format 3\.1/);
    patch(device, 0, Buffer.alloc(Superblock.length));
    patch(device, Superblock.copyAt, withMagic(whole));
    await rejects(mkfs(device, { clusterUuid: CLUSTER }), 'EXISTS', /format 3\.1/);
    await mkfs(device, { clusterUuid: CLUSTER, force: true });
    assert.equal(fsck(device).status, 0);
  });

  it('is damage where its CRC is wrong', async () => {
    const device = await newPool(1);
    patch(device, 40, Buffer.from([3]));
    assert.equal(fsck(device).status, 1);
  });
});

describe('a superblock whose minor format version is a later one', () => {
  it('is used: minor versions only add kinds of entries, which are skipped', async () => {
    const device = await newPool(1);
    setFormat(device, 2, 77);
    const { writer, stop } = await openWriter(device);
    writer.create([file('new')]);
    stop();
    const { status, problems } = fsck(device);
    assert.deepEqual([status, problems], [0, []]);
  });
});
