import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { controllerOperations } from '../../../src/controller/operations.ts';

const directory = '0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0/v';

describe('the controller service', () => {
  it('takes one lock for all handles of a directory: none is attached while it is deleted', async () => {
    const working = Promise.withResolvers<void>();
    const attaching = { publish: async () => ({}), unpublish: async () => undefined };
    const parts = { volumes: { delete: () => working.promise }, attaching, listing: {} };
    const { DeleteVolume: remove, ControllerPublishVolume: publish, ControllerUnpublishVolume: unpublish } = controllerOperations(parts as never);
    const first = remove!({ volume_id: directory, secrets: {} });
    for (const handle of [directory, `${directory}//a`]) {
      await assert.rejects(async () => publish!({ volume_id: handle, node_id: 'n' } as never), { code: status.ABORTED }, handle);
      await assert.rejects(async () => unpublish!({ volume_id: handle, node_id: 'n' } as never), { code: status.ABORTED }, handle);
    }
    await publish!({ volume_id: `${directory}/below//a`, node_id: 'n' } as never);
    working.resolve();
    await first;
    await publish!({ volume_id: `${directory}//a`, node_id: 'n' } as never);
  });
});
