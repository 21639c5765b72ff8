import assert from 'node:assert/strict';
import { entriesOf, isVolume, recordOf, removeTree } from '../../../../src/controller/layout/volume-layout.ts';
import { parseParameters } from '../../../../src/controller/layout/parameters.ts';
import { Pool } from '../../../../src/famfs/pool/pool.ts';
import { sourceOf } from '../../../../src/famfs/pool/pool-source.ts';
import type { PoolWriter } from '../../../../src/famfs/writer/writer.ts';
import { AU, directory, file, newPool, type OpenWriter, openWriter } from '../../../support/pools.ts';

/** What others have put into a volume besides its file. */
const below = ['v/a', 'v/a/one', 'v/a/b', 'v/a/b/two', 'v/three'];
/** Files and directories of the volume, itself included. */
const COUNT = below.length + 2;

describe('the deletion of a volume', () => {
  let device: string;
  let open: OpenWriter;

  beforeEach(async () => {
    device = await newPool(8);
    open = await openWriter(device);
    const parameters = parseParameters({});
    open.writer.create(entriesOf('v', AU, recordOf('v', AU, parameters), parameters));
    for (const path of below) open.writer.create([/(one|two|three)$/.test(path) ? file(path) : directory(path)]);
  });
  afterEach(() => open.stop());

  /** Removes one thing at a time, and ends before the given one. */
  async function deleteUpTo(end: number): Promise<void> {
    let done = 0;
    const write = (work: (writer: PoolWriter) => boolean) => {
      if (done++ === end) throw new Error('cut short');
      return work(open.writer);
    };
    await removeTree(write, 'v', 0);
  }

  for (let end = 0; end <= COUNT; end++) {
    it(`cut short after ${end} of ${COUNT} pieces leaves a volume to delete, and its repetition nothing`, async () => {
      const deletion = deleteUpTo(end);
      if (end < COUNT) {
        await assert.rejects(deletion, /cut short/);
        const fresh = Pool.open(sourceOf(device), { writable: false });
        const left = [...fresh.walk()].map(({ path }) => path);
        assert.ok(isVolume(fresh.stat('v')!), 'the directory goes last');
        assert.equal(left.length, COUNT - end);
        const files = left.filter((path) => fresh.stat(path)!.kind === 'file').length;
        assert.equal(fresh.usage().quarantinedBytes, (4 - files) * AU);
        fresh.close();
      }
      await deletion.catch(() => undefined);
      if (end < COUNT) await deleteUpTo(Infinity);
      assert.deepEqual([...open.pool.walk()], []);
      assert.equal(open.writer.quarantined.length, 4);
      assert.equal(open.pool.usage().quarantinedBytes, 4 * AU);
    });
  }

  it('lets others do their work between its pieces', async () => {
    const order: string[] = [];
    const write = (work: (writer: PoolWriter) => boolean) => {
      order.push('piece');
      return work(open.writer);
    };
    const turn = () => {
      order.push('turn');
      if (open.pool.stat('v') !== undefined) setImmediate(turn);
    };
    setImmediate(turn);
    await removeTree(write, 'v', 0);
    assert.deepEqual(order.filter((what, k) => what !== 'turn' || order[k - 1] !== 'turn').slice(0, 2 * COUNT - 1),
      Array.from({ length: 2 * COUNT - 1 }, (_, k) => (k % 2 === 0 ? 'piece' : 'turn')));
  });
});
