import assert from 'node:assert/strict';
import { FamfsError } from '../../src/famfs/errors.ts';
import { ClaimLayout } from '../../src/famfs/format/claim-record.ts';
import { hasFormatMarker } from '../../src/famfs/format/format-marker.ts';
import { LogHeader } from '../../src/famfs/format/log-header.ts';
import { Superblock } from '../../src/famfs/format/superblock.ts';
import { Replayer } from '../../src/famfs/log/replayer.ts';
import { formatDevice } from '../../src/famfs/mkfs/mkfs.ts';
import { Pool } from '../../src/famfs/pool/pool.ts';
import { PoolWriter } from '../../src/famfs/writer/writer.ts';
import type { Random } from '../fuzz/random.ts';
import { RecordingDevice } from '../support/recording-device.ts';
import { readAsReference } from '../support/reference-reader.ts';
import { CLUSTER, copyOf } from './image.ts';
import { linesOf, mustBeSound } from './judge.ts';
import { type Lines, same, text } from './lines.ts';
import { type Recording, recordStores } from './recording.ts';
import { newHost } from './recovery.ts';
import { aVolume } from './story.ts';

/** The smallest device that can be formatted, and two units. */
const SIZE = 14 * 2 ** 20;
/** What is on a device: what was there, no file system, the new one. */
const OLD = 0;
const NONE = 1;
const NEW = 2;

/** Formattings of memory that is new, that holds garbage, and that holds a pool. */
export async function* formattings(random: Random): AsyncGenerator<Recording> {
  const fresh = new RecordingDevice(new ArrayBuffer(SIZE));
  yield await recordFormatting('a new device formatted', fresh, undefined, true);
  const garbage = new RecordingDevice(new ArrayBuffer(SIZE));
  for (let at = 0; at < SIZE; at += 4) garbage.bytes.writeUInt32LE(random.word(), at);
  yield await recordFormatting('garbage formatted', garbage, undefined);
  const writer = await PoolWriter.acquire(Pool.on(fresh), { identity: newHost('former') });
  writer.create(aVolume('v', 2 ** 20));
  writer.close();
  fresh.view(SIZE - 2 ** 22, 2 ** 22).fill(0x5a);
  yield await recordFormatting('a pool formatted', fresh, linesOf(Replayer.create(fresh)));
}

async function recordFormatting(name: string, device: RecordingDevice, old: Lines | undefined, isNew = false): Promise<Recording> {
  const { before, steps } = await recordStores(name, device, () => formatDevice(device, { clusterUuid: CLUSTER, force: true }, isNew));
  const uuid = Replayer.create(device).geometry.superblock.uuid;
  return {
    name, before, steps, states: 3,
    follow: () => undefined,
    judge: (image) => judge(image, uuid, old),
    goesOn,
  };
}

/** Throws AssertionError when a device is anything but what it was, no pool at all, or the new and empty one. */
function judge(device: RecordingDevice, uuid: string, old: Lines | undefined): number {
  let replayer: Replayer;
  try {
    replayer = Replayer.create(device);
  } catch (error) {
    assert(error instanceof FamfsError && error.code === 'NOT_FAMFS', String(error));
    assert.notEqual(readAsReference(device.bytes).refused, undefined, 'only the reference tools see a pool');
    return old === undefined && !hasFormatMarker(device.bytes) ? OLD : NONE;
  }
  mustBeSound(replayer);
  const lines = linesOf(replayer);
  if (replayer.geometry.superblock.uuid !== uuid) {
    assert(old !== undefined && same(old, lines), `half of the old pool is seen:\n${text(lines)}`);
    return OLD;
  }
  assert.equal(lines.size, 0, `the new pool is not empty:\n${text(lines)}`);
  mustBeZero(device, Superblock.regionLength + LogHeader.length, device.size);
  const { logLife } = ClaimLayout;
  mustBeZero(device, 4096, logLife);
  mustBeZero(device, logLife + 8, Superblock.regionLength);
  assert.notEqual(replayer.identity.logLife, '', 'a new pool has no log life');
  return NEW;
}

function mustBeZero({ bytes }: RecordingDevice, start: number, end: number): void {
  const part = bytes.subarray(start, end);
  assert(part.equals(Buffer.alloc(part.length)), `a new pool has old bytes between ${start} and ${end}`);
}

/** A device that was left in the middle is not taken for an unused one, and can be formatted again. */
async function goesOn({ bytes }: RecordingDevice): Promise<void> {
  const device = copyOf(bytes);
  if (hasFormatMarker(device.bytes)) {
    const refused = formatDevice(device, { clusterUuid: CLUSTER }, false);
    await assert.rejects(refused, (error: unknown) => error instanceof FamfsError && error.code === 'EXISTS');
  }
  const { uuid } = await formatDevice(device, { clusterUuid: CLUSTER, force: true }, false);
  assert.equal(judge(device, uuid, undefined), NEW);
}
