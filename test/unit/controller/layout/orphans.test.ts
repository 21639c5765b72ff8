import assert from 'node:assert/strict';
import { findOrphans } from '../../../../src/controller/layout/orphans.ts';
import { entriesOf } from '../../../../src/controller/layout/volume-layout.ts';
import { parseParameters } from '../../../../src/controller/layout/parameters.ts';
import { OrphanCounter } from '../../../../src/controller/orphan-counter.ts';
import type { ManagedPool } from '../../../../src/controller/pools/managed-pool.ts';
import { silentLog } from '../../../../src/csi/log.ts';
import { directoryOfHandle } from '../../../../src/csi/volume-id.ts';
import { AU, directory, newPool, openWriter, type OpenWriter } from '../../../support/pools.ts';

const MINUTE_MS = 60_000;
const now = Date.UTC(2026, 0, 1);

describe('volumes without PersistentVolume', () => {
  let open: OpenWriter;
  beforeEach(async () => { open = await openWriter(await newPool()); });
  afterEach(() => open.stop());

  const volume = (name: string, createdAt: number) => {
    const record = { name, kind: 'volume', createdAt, parameters: {}, capacity: AU };
    open.writer.create(entriesOf(name, AU, record, parseParameters({})));
    return `${open.pool.uuid}/${name}`;
  };
  const names = async (handles: string[]) => (await findOrphans(open.pool, handles, now)).map(({ name }) => name);

  it('are those that no handle names', async () => {
    const [a, b] = [volume('a', now - 60 * MINUTE_MS), volume('b', now - 60 * MINUTE_MS)];
    assert.deepEqual(await findOrphans(open.pool, [a, 'not a handle', `${b}x`], now), [{ handle: b, name: 'b', bytes: AU, ageMs: 60 * MINUTE_MS }]);
    assert.deepEqual(await names([a, b]), []);
  });

  it('are none for ten minutes, in which their PersistentVolume may be on its way', async () => {
    volume('young', now - 9 * MINUTE_MS);
    volume('old', now - 11 * MINUTE_MS);
    volume('timeless', 0);
    volume('of the future', now + 60 * MINUTE_MS);
    assert.deepEqual(await names([]), ['old', 'timeless', 'of the future']);
  });

  it('are no directories that the driver did not make, and no deleted volumes', async () => {
    open.writer.create([directory('weights')]);
    volume('gone', 0);
    open.writer.remove('gone/data');
    open.writer.remove('gone');
    assert.deepEqual(await names([]), []);
  });

  it('are counted by pool, and a pool that cannot be read keeps its count', async () => {
    const a = volume('a', 0);
    volume('b', 0);
    const pool = { spec: { name: 'p0' }, view: open.pool, isReadable: true };
    let handles = [a];
    const counter = new OrphanCounter({ all: [pool as unknown as ManagedPool] }, { handles: async () => handles }, silentLog());
    assert.equal(counter.countOf('p0'), undefined);
    await counter.count();
    assert.equal(counter.countOf('p0'), 1);
    handles = [];
    pool.isReadable = false;
    await counter.count();
    assert.equal(counter.countOf('p0'), 1);
    pool.isReadable = true;
    await counter.count();
    assert.equal(counter.countOf('p0'), 2);
  });

  it('are known by the directory of a handle', () => {
    const uuid = '01234567-89ab-4cde-8f01-23456789abcd';
    assert.equal(directoryOfHandle(`${uuid}/a/b`), `${uuid}/a/b`);
    assert.equal(directoryOfHandle(`${uuid}/../a`), undefined);
  });
});
