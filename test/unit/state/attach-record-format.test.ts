import assert from 'node:assert/strict';
import { readAttachRecord, storedAttachRecord, type StoredAttachRecord } from '../../../src/state/attach-record-format.ts';
import type { AttachRecord } from '../../../src/state/interfaces.ts';

const directory = '0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0/models/weights';
const writer = { volume: directory, node: 'node-1', mode: 'MULTI_NODE_MULTI_WRITER', readonly: false } as const;
const reader = { volume: `${directory}//team-b`, node: 'node-1', mode: 'MULTI_NODE_READER_ONLY', readonly: true } as const;

describe('attach records as they are kept', () => {
  /** Through JSON, as in a Lease or a file. */
  const kept = (record: AttachRecord) => JSON.parse(JSON.stringify(storedAttachRecord(record))) as StoredAttachRecord;

  it('come back as they went, with every handle', () => {
    const record = { directory, epoch: 7, attachments: [writer, reader, { ...reader, node: 'node-2' }] };
    assert.deepEqual(readAttachRecord(kept(record)), record);
  });

  it('are as they always were where no handle has a suffix, in both directions', () => {
    const old = { volume: directory, attachments: [{ node: 'node-1', mode: 'MULTI_NODE_MULTI_WRITER', readonly: false }], epoch: 7 } as const;
    assert.equal(JSON.stringify(kept({ directory, epoch: 7, attachments: [writer] })), JSON.stringify(old));
    assert.deepEqual(readAttachRecord(old), { directory, epoch: 7, attachments: [writer] });
  });

  it('lose no attachment in the hands of a version that knows no suffixes', () => {
    const { volume, attachments, epoch } = kept({ directory, epoch: 7, attachments: [writer, reader] });
    // What that version does when it detaches the directory from node-1, attaches it to node-2, and detaches that.
    const detached = attachments.filter(({ node }) => node !== 'node-1');
    const attached = [...detached, { node: 'node-2', mode: 'MULTI_NODE_MULTI_WRITER', readonly: false } as const];
    assert.deepEqual(readAttachRecord({ volume, epoch, attachments: attached }).attachments, [reader, { ...writer, node: 'node-2' }]);
    const again = attached.filter(({ node }) => node !== 'node-2');
    assert.deepEqual(readAttachRecord({ volume, epoch, attachments: again }).attachments, [reader]);
    assert.ok(!attachments.some(({ node }, at) => at > 0 && node === 'node-1'), 'it would be taken for the attachment of the directory itself');
  });
});
