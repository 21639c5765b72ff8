import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { Attaching } from '../../../src/controller/attaching.ts';
import type { AccessMode } from '../../../src/csi/capabilities.ts';
import { silentLog } from '../../../src/csi/log.ts';
import { openDirectoryState } from '../../../src/state/directory.ts';
import type { Attachment } from '../../../src/state/interfaces.ts';
import { tempDir } from '../../harness/temp.ts';

const directory = '0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0/v';

describe('attaching', () => {
  /** Two controllers, of which one has not heard yet that it is none any more: locks of one process do not help. */
  async function twoControllers() {
    const { attachments, nodes } = openDirectoryState(tempDir('state'), silentLog());
    for (const node of ['a', 'b']) await nodes.announce({ node, pools: [] });
    const pools = { byUuid: () => ({ view: { stat: () => ({ kind: 'directory' }) } }) };
    const [one, two] = [7, 7].map((epoch) => new Attaching(pools as never, attachments, nodes, { epoch } as never));
    const recorded = async (): Promise<readonly Attachment[]> => (await attachments.get(directory))?.value.attachments ?? [];
    return { one: one!, two: two!, recorded };
  }

  const request = (volume: string, node: string, mode: AccessMode, readonly = false) => (
    { volume_id: volume, node_id: node, readonly, volume_capability: { access_mode: { mode }, mount: { fs_type: '', mount_flags: [], volume_mount_group: '' } } }) as never;

  it('makes one writer of two that race by two handles of a directory', async () => {
    for (let round = 0; round < 20; round++) {
      const { one, two, recorded } = await twoControllers();
      const racing = await Promise.allSettled([
        one.publish(request(`${directory}//a`, 'a', 'SINGLE_NODE_MULTI_WRITER')),
        two.publish(request(`${directory}//b`, 'b', 'SINGLE_NODE_MULTI_WRITER')),
      ]);
      const lost = racing.filter((each) => each.status === 'rejected').map(({ reason }) => (reason as { code: status }).code);
      assert.deepEqual(lost, [status.FAILED_PRECONDITION]);
      assert.equal((await recorded()).length, 1);
    }
  });

  it('keeps all of several readers that race, and detaches each by its own handle', async () => {
    const { one, two, recorded } = await twoControllers();
    const handles = [directory, `${directory}//a`, `${directory}//b`];
    const uses = handles.flatMap((handle) => ['a', 'b'].map((node) => [handle, node] as const));
    for (const [volume, node] of uses) {
      await Promise.all([one, two].map((controller) => controller.publish(request(volume, node, 'MULTI_NODE_READER_ONLY'))));
    }
    assert.deepEqual((await recorded()).map(({ volume, node }) => [volume, node]), uses);
    await two.unpublish(`${directory}//a`, 'a');
    await two.unpublish(directory, '');
    await one.unpublish(`${directory}//unknown`, '');
    assert.deepEqual((await recorded()).map(({ volume, node }) => [volume, node]), uses.slice(3));
    await one.unpublish(`${directory}//b`, '');
    await one.unpublish(`${directory}//a`, 'b');
    assert.deepEqual(await recorded(), []);
  });

  it('answers each handle what its own attachment may do', async () => {
    const { one } = await twoControllers();
    assert.deepEqual(await one.publish(request(directory, 'a', 'MULTI_NODE_MULTI_WRITER')), {});
    assert.deepEqual(await one.publish(request(`${directory}//a`, 'a', 'MULTI_NODE_MULTI_WRITER', true)), { readonly: 'true' });
    assert.deepEqual(await one.publish(request(`${directory}//b`, 'a', 'MULTI_NODE_READER_ONLY')), { readonly: 'true' });
    await assert.rejects(one.publish(request(`${directory}//b//c`, 'a', 'MULTI_NODE_READER_ONLY')), { code: status.NOT_FOUND });
  });
});
