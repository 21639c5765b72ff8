import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { nodeOperations } from '../../../src/node/operations.ts';

describe('the node service', () => {
  it('takes one lock for all handles of a directory, and for no other', async () => {
    const working = Promise.withResolvers<void>();
    const nothing = async () => undefined;
    const volumes = { stage: () => working.promise, unstage: nothing, publish: nothing, unpublish: nothing, statistics: async () => ({ bytes: 0, files: 0 }) };
    const { NodeStageVolume: stage, NodePublishVolume: publish } = nodeOperations(volumes, { node: 'n', driver: 'd', pools: async () => [] });
    const directory = '0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0/v';
    const first = stage!({ volume_id: `${directory}//a`, staging_target_path: '/staging/a' } as never);
    for (const handle of [directory, `${directory}//a`, `${directory}//b`]) {
      await assert.rejects(async () => publish!({ volume_id: handle, target_path: '/pods/x' } as never), { code: status.ABORTED }, handle);
    }
    for (const handle of [`${directory}-2`, `${directory}/below`, `${directory}//b//c`]) await publish!({ volume_id: handle, target_path: '/pods/x' } as never);
    working.resolve();
    await first;
  });

  it('takes one lock for all spellings of a path', async () => {
    const working = Promise.withResolvers<void>();
    const nothing = async () => undefined;
    const volumes = { stage: nothing, unstage: nothing, publish: nothing, unpublish: () => working.promise, statistics: async () => ({ bytes: 0, files: 0 }) };
    const { NodeUnpublishVolume: unpublish, NodeUnstageVolume: unstage } = nodeOperations(volumes, { node: 'n', driver: 'd', pools: async () => [] });
    const first = unpublish!({ volume_id: 'one', target_path: '/pods/x' });
    for (const spelling of ['/pods/x', '//pods/x', '/pods//x', '/pods/x/', '/pods/./x', '/pods/y/../x']) {
      await assert.rejects(async () => unstage!({ volume_id: 'two', staging_target_path: spelling }), { code: status.ABORTED }, spelling);
    }
    await unstage!({ volume_id: 'two', staging_target_path: '/pods/y' });
    working.resolve();
    await first;
    await unstage!({ volume_id: 'two', staging_target_path: '//pods/x' });
  });
});
