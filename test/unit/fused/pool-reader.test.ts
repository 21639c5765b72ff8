import assert from 'node:assert/strict';
import fs from 'node:fs';
import { ClaimLayout } from '../../../src/famfs/format/claim-record.ts';
import { MIB } from '../../../src/famfs/units.ts';
import { PoolReader } from '../../../src/fused/pool-reader.ts';
import { freshImage } from '../../support/fresh-image.ts';
import { PoolFixture } from '../../support/pool-fixture.ts';
import { until } from '../../support/until.ts';

describe('what a data plane reads out of a pool\'s log', () => {
  const readers: PoolReader[] = [];
  let pool: PoolFixture;

  const logLife = () => pool.pool.replayer.identity.logLife;
  const newReader = () => {
    const reader = new PoolReader({ device: pool.path, poolUuid: pool.uuid, logLife: logLife() });
    readers.push(reader);
    return reader;
  };

  beforeEach(async () => {
    pool = await PoolFixture.make(64 * MIB);
    pool.volume('vol', 4 * MIB);
  });
  afterEach(() => {
    for (const reader of readers.splice(0)) reader.close();
    pool.close();
  });

  it('is what stands there at that moment', async () => {
    const reader = newReader();
    pool.directories(['vol/more']);
    const { node, logLife: life } = await reader.ask({ ask: 'directory', path: 'vol' });
    assert.deepEqual([node, life], [pool.node('vol'), logLife()]);
    assert.deepEqual(await reader.ask({ ask: 'files', path: 'vol' }), { bytes: 4 * MIB, files: 1 });
    const data = pool.node('vol/data');
    assert.deepEqual(await reader.ask({ ask: 'path', node: data }), { path: 'vol/data' });
    for (const path of ['none', 'vol/data']) assert.deepEqual(await reader.ask({ ask: 'directory', path }), {}, path);
    pool.remove('vol/data');
    assert.deepEqual(await reader.ask({ ask: 'files', path: 'vol' }), { bytes: 0, files: 0 });
    assert.deepEqual(await reader.ask({ ask: 'path', node: data }), {});
  });

  it('is read by another process when one was killed, and by none after the end', async () => {
    const reader = newReader();
    const question = { ask: 'path', node: pool.node('vol') } as const;
    await reader.ask(question);
    const children = fs.readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').map(Number);
    const reading = children.find((pid) => fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(pool.path))!;
    process.kill(reading, 'SIGKILL');
    await until(async () => assert.deepEqual(await reader.ask(question), { path: 'vol' }));
    reader.close();
    await assert.rejects(reader.ask(question), { code: 'NOT_ANSWERING' });
  });

  it('is nothing of another pool, or of another life of the log, that stands there now', async () => {
    const [reader, late] = [newReader(), newReader()];
    const question = { ask: 'files', path: 'vol' } as const;
    await reader.ask(question);
    const { bytes } = pool.pool.memory.superblock;
    const life = Buffer.from(bytes.subarray(ClaimLayout.logLife, ClaimLayout.logLife + 8));
    bytes.set(life.toReversed(), ClaimLayout.logLife);
    for (const each of [reader, late]) await assert.rejects(each.ask(question), { code: 'REPLACED', message: new RegExp(pool.uuid) });
    bytes.set(life, ClaimLayout.logLife);
    for (const each of [reader, late]) assert.deepEqual(await each.ask(question), { bytes: 4 * MIB, files: 1 });
    await freshImage(pool, 'vol', 2 * MIB);
    for (const each of [reader, late, newReader()]) await assert.rejects(each.ask(question), { code: 'REPLACED' });
  });
});
