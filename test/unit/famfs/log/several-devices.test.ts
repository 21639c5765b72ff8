/** What stands above the devices knows memory by its pool address alone: here it lies on two of them. */
import assert from 'node:assert/strict';
import { Allocator } from '../../../../src/famfs/alloc/allocator.ts';
import { ExtentMap } from '../../../../src/famfs/alloc/extent-map.ts';
import { freeRuns, partsWithin, type Run } from '../../../../src/famfs/alloc/free-runs.ts';
import { DEVICES_MAX, poolAddress } from '../../../../src/famfs/device/pool-address.ts';
import { EntryLayout, ExtentType, FILE_FLAGS } from '../../../../src/famfs/format/entry-layout.ts';
import { decodeEntry, type Extent, newEntry } from '../../../../src/famfs/format/entry.ts';
import { EntryType } from '../../../../src/famfs/format/state-word.ts';
import { fileRanges } from '../../../../src/famfs/index/file-ranges.ts';
import { IndexStore, State, Status } from '../../../../src/famfs/index/index-store.ts';
import { IndexWriter } from '../../../../src/famfs/index/index-writer.ts';
import { type DataArea, MapCheck } from '../../../../src/famfs/log/map-check.ts';
import { MIB } from '../../../../src/famfs/units.ts';
import { encodeBatch } from '../../../../src/famfs/writer/new-entries.ts';
import { AU, METADATA } from '../../../support/pools.ts';

const owner = { mode: 0o644, uid: 0, gid: 0 };
const area: DataArea = { allocationUnit: AU, devices: [{ start: METADATA, end: METADATA + 4 * AU }, { start: AU, end: 8 * AU }] };
const areas: Run[] = [{ start: METADATA, end: METADATA + 4 * AU }, { start: poolAddress(1, AU), end: poolAddress(1, 8 * AU) }];

function check(size: number, extents: readonly Extent[], within = area): { map: MapCheck; problem: string | undefined } {
  const entry = newEntry(0, EntryType.File, {
    kind: 'file', path: 'f', size, ...owner, flags: FILE_FLAGS, extentType: ExtentType.Simple, extentCount: extents.length, extents,
  });
  const words = new Uint32Array(new Uint8Array(entry).buffer, 0, EntryLayout.size / 4);
  const map = new MapCheck();
  return { map, problem: map.check(words, 0, within) };
}

describe('memory on several devices', () => {
  it('is known by pool addresses once a map was checked', () => {
    const { map, problem } = check(3 * AU, [{ device: 1, offset: 2 * AU, length: 2 * AU }, { device: 0, offset: METADATA, length: AU }]);
    assert.equal(problem, undefined);
    assert.deepEqual([...map.addresses.subarray(0, 2)], [poolAddress(1, 2 * AU), METADATA]);
  });

  it('is judged by the bounds of its own device', () => {
    const on = (device: number, offset: number, length = AU) => check(length, [{ device, offset, length }]).problem;
    assert.equal(on(1, 7 * AU), undefined);
    assert.match(on(0, 7 * AU + METADATA)!, /past the device's end 18874368/);
    assert.match(on(1, 8 * AU)!, /past the device's end 16777216/);
    assert.match(on(0, AU)!, /lies in the superblock or log/);
    assert.match(on(1, 0)!, /lies in the superblock or log/);
    assert.match(on(2, 2 * AU)!, /^extent 0 is on device 2: only devices 0 to 1 are known$/);
    assert.match(on(0, poolAddress(1, 2 * AU))!, /past the device's end/, 'an offset that would be an address of another device');
  });

  it('is told from the only device in the words of a pool of one', () => {
    const { problem } = check(AU, [{ device: 1, offset: 2 * AU, length: AU }], { ...area, devices: area.devices.slice(0, 1) });
    assert.equal(problem, 'extent 0 is on device 1: only device 0 is known');
  });

  it('is bounded by the end of its device where a map is rounded up past that', () => {
    const odd = { ...area, devices: [area.devices[0], { start: AU, end: 8 * AU - 4096 }] };
    const last = [{ device: 1, offset: 7 * AU, length: AU }];
    assert.equal(check(AU - 4096, last, odd).problem, undefined);
    assert.match(check(AU, last, odd).problem!, /holds bytes of the file past the device's end/);
  });

  it('keeps its address in the index, on the last device that a pool can have', () => {
    const store = new IndexStore(16, new ArrayBuffer(IndexStore.bytes(16)));
    for (const [node, unit] of [[2, AU], [3, 4096]] as const) {
      const writer = new IndexWriter(store, 1, unit);
      const start = poolAddress(DEVICES_MAX - 1, 2 ** 44);
      const many = { size: 3 * unit, chunkSize: 0, count: 2, addresses: new Float64Array([start, METADATA]), lengths: new Float64Array([unit, 2 * unit]) };
      store.rows.fill(0, 2 * 11);
      writer.setStatus(node, Status.Live);
      writer.addMap(node, { ...many, count: 1, lengths: new Float64Array([3 * unit]) });
      assert.equal((store.rows[node * 11] & State.oneExtent) !== 0, unit === AU, 'an address that is no 32-bit number of units has a map');
      assert.deepEqual(writer.extents(node), [{ start, end: start + 3 * unit }]);
      store.rows.fill(0, 2 * 11);
      writer.addMap(node, many);
      assert.deepEqual(writer.extents(node), [{ start, end: start + unit }, { start: METADATA, end: METADATA + 2 * unit }]);
      assert.deepEqual(fileRanges(store.map(node, unit), unit - 1, 3), [{ start: start + unit - 1, end: start + unit }, { start: METADATA, end: METADATA + 2 }]);
    }
  });

  it('is free device by device, and no run reaches from one into another', () => {
    const map = new ExtentMap();
    map.add(METADATA + AU, METADATA + 2 * AU, 2);
    map.add(poolAddress(1, AU), poolAddress(1, 2 * AU), 3);
    const free = freeRuns([map], [{ start: poolAddress(1, 4 * AU), end: poolAddress(1, 5 * AU) }], areas);
    assert.deepEqual(free, [
      { start: METADATA, end: METADATA + AU },
      { start: METADATA + 2 * AU, end: METADATA + 4 * AU },
      { start: poolAddress(1, 2 * AU), end: poolAddress(1, 4 * AU) },
      { start: poolAddress(1, 5 * AU), end: poolAddress(1, 8 * AU) },
    ]);
    assert.deepEqual(partsWithin({ start: METADATA + 3 * AU, end: METADATA + 5 * AU }, areas), [{ start: METADATA + 3 * AU, end: METADATA + 4 * AU }]);
    assert.deepEqual(partsWithin({ start: poolAddress(1, 0), end: poolAddress(1, 2 * AU) }, areas), [{ start: poolAddress(1, AU), end: poolAddress(1, 2 * AU) }]);
  });

  it('is encoded by device and offset when a file gets it', () => {
    const allocator = new Allocator(AU, areas);
    const [entry, both] = encodeBatch(0, [
      { kind: 'file', path: 'large', size: 6 * AU - MIB, ...owner },
      { kind: 'file', path: 'both', size: 5 * AU, ...owner },
    ], allocator).map((bytes) => decodeEntry(bytes).body);
    assert.ok(entry.kind === 'file' && both.kind === 'file');
    assert.deepEqual(entry.extents, [{ device: 1, offset: AU, length: 6 * AU }]);
    assert.deepEqual(both.extents, [{ device: 0, offset: METADATA, length: 4 * AU }, { device: 1, offset: 7 * AU, length: AU }]);
  });
});
