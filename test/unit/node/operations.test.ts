import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { nodeOperations } from '../../../src/node/operations.ts';

describe('the node service', () => {
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
