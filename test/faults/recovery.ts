import assert from 'node:assert/strict';
import { Pool } from '../../src/famfs/pool/pool.ts';
import { type AcquireOptions, PoolWriter, type WriterIdentity } from '../../src/famfs/writer/writer.ts';
import { tempDir } from '../harness/temp.ts';
import type { RecordingDevice } from '../support/recording-device.ts';
import { CLUSTER, copyOf } from './image.ts';
import { type Despite, judgeReference, linesOf, mustBeSound, openFresh } from './judge.ts';
import { extentsOf, minus, pathOf, same, text, within } from './lines.ts';

/** A host with a directory of its own: to others, one whose writers are not known to be stopped. */
export function newHost(name: string): WriterIdentity {
  return { clusterUuid: CLUSTER, hostId: name, hostDirectory: tempDir(name) };
}

/** Takes over at once from whoever is not known to be stopped. */
export const impatient: Pick<AcquireOptions, 'waitMs' | 'silentSince'> = { waitMs: 1, silentSince: () => 0 };

let successor: WriterIdentity | undefined;

/**
 * Throws AssertionError unless a successor can go on from an image: it takes over, and makes a
 * volume. Then nothing of what was seen is gone, and all readers agree.
 */
export async function goesOn({ bytes }: RecordingDevice, known: boolean, despite?: Despite): Promise<void> {
  const device = copyOf(bytes);
  const following = openFresh(device, despite);
  const seen = linesOf(following);
  const identity = successor ??= newHost('successor');
  const writer = await PoolWriter.acquire(Pool.on(device), { identity, ...(known ? { assumeStopped: true } : impatient) });
  try {
    writer.create([
      { kind: 'directory', path: 'successor', mode: 0o755, uid: 0, gid: 0 },
      { kind: 'file', path: 'successor/data', size: 8192, mode: 0o644, uid: 0, gid: 0 },
    ]);
  } finally {
    writer.close();
  }
  const now = linesOf(openFresh(device, despite));
  assert(within(seen, now), `a successor lost something: from\n${text(seen)}\nto\n${text(now)}`);
  assert.deepEqual(minus(now, seen).map(pathOf).sort(), ['successor', 'successor/data']);
  following.catchUp();
  mustBeSound(following, despite);
  const followed = linesOf(following);
  assert(same(followed, now), `a reader that followed the successor sees\n${text(followed)}\nand not\n${text(now)}`);
  if (despite === undefined) judgeReference(device, { trees: [now], acknowledged: now });
  for (const line of minus(now, seen)) {
    for (const { start, end } of extentsOf(line)) {
      assert(device.bytes.subarray(start, end).every((byte) => byte === 0), `${line} was given memory that is not zero`);
    }
  }
}
