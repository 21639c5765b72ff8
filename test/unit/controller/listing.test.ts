import assert from 'node:assert/strict';
import { recordOf } from '../../../src/controller/layout/volume-layout.ts';
import { parseParameters } from '../../../src/controller/layout/parameters.ts';
import { Listing } from '../../../src/controller/listing.ts';
import { csi } from '../../../src/csi/server/protocols.ts';
import type { PoolNode } from '../../../src/famfs/pool/pool.ts';
import type { Attachment } from '../../../src/state/interfaces.ts';

const pool = '0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0';
const away = '1b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0';

/** A pool's view with these volumes of the driver, and these directories of others. */
function viewOf(volumes: readonly string[], directories: readonly string[]) {
  const record = recordOf('name', 4096, parseParameters({}));
  const nodes: PoolNode[] = [...volumes, ...directories].map((path, at) => (
    { node: at + 2, path, kind: 'directory', size: 0, mode: 0o755, uid: 0, gid: 0, ...(at < volumes.length ? { record } : {}) }));
  return {
    uuid: pool, nodesIn: () => nodes.map(({ node }) => node), describe: (id: number) => nodes[id - 2],
    stat: (path: string) => nodes.find((node) => node.path === path),
  };
}

/** A listing of a pool that can be read, and of one that cannot. */
function listingOf(volumes: readonly string[], directories: readonly string[], attached: readonly [volume: string, node: string][]): Listing {
  const pools = { all: [{ uuid: pool, isReadable: true, view: viewOf(volumes, directories) }, { uuid: away, isReadable: false }] };
  const attachments: Attachment[] = attached.map(([volume, node]) => ({ volume, node, mode: 'MULTI_NODE_MULTI_WRITER', readonly: false }));
  const records = [{ directory: 'any', epoch: 1, attachments: attachments.slice(0, 2) }, { directory: 'other', epoch: 1, attachments: attachments.slice(2) }];
  return new Listing(pools as never, { list: async () => records } as never, 'driver');
}

/** All pages: of each, its entries as `[handle, nodes]`. */
async function pagesOf(listing: Listing, maxEntries: number) {
  const pages: [string, readonly string[]][][] = [];
  for (let token = ''; pages.length === 0 || token !== '';) {
    const answer = await listing.list({ max_entries: maxEntries, starting_token: token } as never);
    assert.ok(csi.Controller.service.ListVolumes.responseSerialize(answer).length <= 1.1 * 2 ** 20);
    pages.push(answer.entries!.map(({ volume, status }) => [volume!.volume_id!, status!.published_node_ids!]));
    token = answer.next_token!;
    assert.ok(pages.length < 1000, 'it ends');
  }
  return pages;
}

describe('listing volumes', () => {
  const attached: [string, string][] = [
    [`${pool}/v1`, 'a'], [`${pool}/v1//team-b`, 'b'], [`${pool}/static`, 'a'], [`${pool}/static`, 'b'],
    [`${away}/v9`, 'c'], [`${pool}/gone`, 'c'], [`${pool}/models/deep`, 'a'],
  ];
  const all = [
    [`${pool}/v1`, ['a']], [`${pool}/v2`, []],
    [`${pool}/gone`, ['c']], [`${pool}/models/deep`, ['a']], [`${pool}/static`, ['a', 'b']], [`${pool}/v1//team-b`, ['b']],
    [`${away}/v9`, ['c']],
  ];

  it('tells what else is attached behind the driver\'s volumes, each handle once with all its nodes', async () => {
    assert.deepEqual(await pagesOf(listingOf(['v1', 'v2'], ['static'], attached), 0), [all]);
  });

  for (const size of [1, 2, 3, 6, 7, 8]) {
    it(`tells the same in pages of ${size}`, async () => {
      const pages = await pagesOf(listingOf(['v1', 'v2'], ['static'], attached), size);
      assert.deepEqual(pages.flat(), all);
      assert.deepEqual(pages.map((page) => page.length), Array.from({ length: Math.ceil(7 / size) }, (_, at) => Math.min(size, 7 - at * size)));
    });
  }

  it('goes on behind an attachment that has gone meanwhile', async () => {
    const before = await listingOf(['v1'], [], attached).list({ max_entries: 2, starting_token: '' } as never);
    assert.equal(before.entries!.at(-1)!.volume!.volume_id, `${pool}/gone`);
    const after = await listingOf(['v1'], [], attached.filter(([volume]) => volume !== `${pool}/gone`)).list({ max_entries: 1, starting_token: before.next_token! } as never);
    assert.deepEqual(after.entries!.map(({ volume }) => volume!.volume_id), [`${pool}/models/deep`]);
  });

  it('tells a volume of a readable pool its size by any handle, and the pool of each', async () => {
    const { entries } = await listingOf(['v1'], [], attached).list({ max_entries: 0, starting_token: '' } as never);
    const found = new Map(entries!.map(({ volume }) => [volume!.volume_id, volume!]));
    assert.equal(found.get(`${pool}/v1//team-b`)!.capacity_bytes, 4096);
    assert.equal(found.get(`${away}/v9`)!.capacity_bytes, 0);
    assert.deepEqual(found.get(`${away}/v9`)!.accessible_topology, [{ segments: { [`driver/pool-${away}`]: 'true' } }]);
  });

  it('bounds a page of attachments in bytes', async () => {
    const many = Array.from({ length: 6000 }, (_, at): [string, string] => [`${pool}/static//${String(at).padStart(80, '0')}`, 'n'.repeat(63)]);
    const pages = await pagesOf(listingOf([], ['static'], many), 0);
    assert.ok(pages.length > 1);
    assert.deepEqual(pages.flat().map(([volume]) => volume), many.map(([volume]) => volume));
  });
});
