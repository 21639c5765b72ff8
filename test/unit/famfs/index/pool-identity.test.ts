import assert from 'node:assert/strict';
import { ClaimLayout } from '../../../../src/famfs/format/claim-record.ts';
import { superblockStruct } from '../../../../src/famfs/format/superblock.ts';
import { PoolIdentity } from '../../../../src/famfs/index/pool-identity.ts';
import { drawLogLife } from '../../../../src/famfs/mkfs/log-life.ts';
import { Replayer } from '../../../../src/famfs/log/replayer.ts';
import { sourceOf } from '../../../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../../../src/famfs/pool/pool.ts';
import { MIB } from '../../../../src/famfs/units.ts';
import { freshImage } from '../../../support/fresh-image.ts';
import { PoolFixture } from '../../../support/pool-fixture.ts';
import { newPool } from '../../../support/pools.ts';
import { SmallPool } from '../../../support/small-pool.ts';

const { uuid } = superblockStruct.fields;

describe('the identity of a pool', () => {
  it('changes with each byte of the UUID and of the log life, and with nothing else', () => {
    const { superblock } = new SmallPool(8).device;
    superblock.store64(ClaimLayout.logLife, drawLogLife());
    const identity = new PoolIdentity(superblock);
    const differing: number[] = [];
    for (let at = 0; at < 8192; at++) {
      superblock.bytes[at] ^= 0x10;
      if (!identity.isUnchanged()) differing.push(at);
      superblock.bytes[at] ^= 0x10;
    }
    const bytes = (from: number, count: number) => Array.from({ length: count }, (_, k) => from + k);
    assert.deepEqual(differing, [...bytes(uuid.offset, 16), ...bytes(ClaimLayout.logLife, 8)]);
    assert.ok(identity.isUnchanged());
  });

  it('is drawn by mkfs, another one each time, without a half of zero', async () => {
    const lives = await Promise.all([newPool(), newPool()].map(async (made) => {
      const pool = Pool.open(sourceOf(await made), { writable: false });
      const { words, logLife } = pool.replayer.identity;
      pool.close();
      assert.ok(words.slice(4).every((word) => word !== 0));
      return logLife;
    }));
    assert.match(lives.join(' '), /^[0-9a-f]{16} [0-9a-f]{16}$/);
    assert.notEqual(lives[0], lives[1]);
  });

  it('of a pool from before there were log lives is the UUID alone', () => {
    const { device } = new SmallPool(8);
    const identity = new PoolIdentity(device.superblock);
    assert.equal(identity.logLife, '');
    assert.ok(identity.isUnchanged());
    device.superblock.store64(ClaimLayout.logLife, drawLogLife());
    assert.ok(identity.isUnchanged(), 'adopt has given it one, and everything is where it was');
    device.superblock.bytes[uuid.offset] ^= 1;
    assert.equal(identity.isUnchanged(), false);
  });
});

describe('a pool that is formatted anew while it is open', () => {
  it('is replayed no further', () => {
    const pool = new SmallPool(8);
    pool.directory('old');
    const replayer = Replayer.create(pool.device);
    pool.directory('new');
    pool.device.superblock.bytes[uuid.offset] ^= 1;
    assert.deepEqual(replayer.catchUp(true), { added: [], removed: [], rebuilt: false });
    pool.device.superblock.bytes[uuid.offset] ^= 1;
    assert.equal(replayer.catchUp().added.length, 1);
  });

  it('gets nothing more from its writer, not even that it has stopped', async () => {
    const fixture = await PoolFixture.make(64 * MIB);
    fixture.volume('old', 2 * MIB);
    const image = await freshImage(fixture, 'new', 2 * MIB);
    const { bytes } = fixture.pool.memory.superblock;
    const before = Buffer.from(bytes);
    assert.throws(() => fixture.volume('more', 2 * MIB), { code: 'CLAIM_LOST' });
    fixture.stopWriting();
    assert.ok(bytes.equals(before));
    assert.deepEqual(Pool.on(fixture.pool.memory).list('').map(({ path }) => path), ['new']);
    assert.notEqual(image.uuid, fixture.uuid);
    fixture.close();
  });
});
