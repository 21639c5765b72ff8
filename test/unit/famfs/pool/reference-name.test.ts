/** Entries under the name that the reference tools use at the root of a pool. */
import assert from 'node:assert/strict';
import { EntryType } from '../../../../src/famfs/format/state-word.ts';
import { fsck } from '../../../../src/famfs/fsck/fsck.ts';
import { sourceOf } from '../../../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../../../src/famfs/pool/pool.ts';
import { fileOver, forge } from '../../../support/forged.ts';
import { AU, METADATA, newPool, openWriter } from '../../../support/pools.ts';
import { head } from '../../../support/raw-bytes.ts';
import { readAsReference } from '../../../support/reference-reader.ts';

describe('a log that has a file under the name of the reference tools', () => {
  it('is read as any other, is noted by fsck, and is mended by rm', async () => {
    const device = await newPool(2);
    const other = Pool.open(sourceOf(device));
    forge(other, 0, EntryType.File, fileOver('.meta', [{ offset: METADATA, length: AU }]));
    other.close();
    assert.deepEqual(readAsReference(head(device, METADATA)).errors, ['file .meta where a directory is'], 'they cannot mount it');

    const { status, problems } = fsck(device);
    assert.equal(status, 0);
    assert.deepEqual(problems.map(({ index, path, severity }) => [index, path, severity]), [[0, '.meta', 'note']]);
    const { pool, writer, stop } = await openWriter(device);
    assert.equal(pool.stat('.meta')?.kind, 'file');
    writer.remove('.meta');
    stop();
    assert.deepEqual(readAsReference(head(device, METADATA)).errors, []);
    assert.deepEqual(fsck(device).problems, []);
  });
});
