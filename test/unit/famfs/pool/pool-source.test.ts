import assert from 'node:assert/strict';
import { FamfsError } from '../../../../src/famfs/errors.ts';
import { openMemory, sourceOf } from '../../../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../../../src/famfs/pool/pool.ts';
import { newPool } from '../../../support/pools.ts';

describe('the source of a pool', () => {
  it('is opened when it holds the file system that is meant, and refused when it holds another', async () => {
    const device = await newPool();
    const pool = Pool.open(sourceOf(device));
    const { uuid } = pool;
    pool.close();
    Pool.open({ devices: [device], uuid }).close();
    const other = '11111111-2222-4333-8444-555555555555';
    assert.throws(() => Pool.open({ devices: [device], uuid: other }), (error: unknown) => error instanceof FamfsError && error.code === 'REPLACED' && error.message.includes(uuid));
    openMemory(sourceOf(device), { lock: 'exclusive' }).close(); // nothing of the refused one is left open
  });

  it('is refused by name when it has several devices', async () => {
    const devices = [await newPool(), await newPool()];
    assert.throws(() => openMemory({ devices }), (error: unknown) =>
      error instanceof FamfsError && error.code === 'UNSUPPORTED' && devices.every((device) => error.message.includes(device)));
  });
});
