import assert from 'node:assert/strict';
import { FamfsError } from '../../src/famfs/errors.ts';
import { Replayer } from '../../src/famfs/log/replayer.ts';
import { oracle } from '../oracle/replay.ts';
import type { MemoryDevice } from '../support/memory-device.ts';
import { LOG_AT } from './bases.ts';
import { ALL_NAMED, oracleTree, problemKey, readTree, treeSum, treeText } from './tree.ts';

/** How a comparison came out: what both said. */
export type Agreement = 'refused' | 'tree' | 'tree with reports';

/**
 * Replays an image and asks the oracle. Throws AssertionError unless both say the same of the
 * tree, the end of the log, the problems and the bytes in use.
 */
export function agree(device: MemoryDevice, replayer?: Replayer, mostRejects?: number): Agreement {
  const { bytes, size } = device;
  const says = oracle({ superblock: bytes, log: bytes.subarray(LOG_AT), deviceSize: size }, mostRejects);
  try {
    replayer ??= Replayer.create(device, ALL_NAMED);
  } catch (error) {
    assert(error instanceof FamfsError, String(error));
    assert('refused' in says && error.message.startsWith(`${device.path}: ${says.refused}: `), `${error.message}; the oracle: ${JSON.stringify(says).slice(0, 80)}`);
    return 'refused';
  }
  assert(!('refused' in says), `the oracle refuses the ${'refused' in says && says.refused}`);
  const nodes = readTree(replayer.view, says.end + 1, true);
  if (treeSum(nodes) !== treeSum(oracleTree(says.nodes))) assert.equal(treeText(nodes), treeText(oracleTree(says.nodes)));
  const ours = { end: replayer.end, problems: problemKey(replayer.problems) };
  assert.deepEqual(ours, { end: says.end, problems: problemKey(says.problems) });
  const { freeBytes, quarantinedBytes, usedBytes, totalBytes } = replayer.view.usage();
  // What lies past the area that new files may use is not counted.
  const quarantined = Math.min(says.quarantinedBytes, totalBytes - says.freeBytes);
  assert.deepEqual({ freeBytes, quarantinedBytes }, { freeBytes: says.freeBytes, quarantinedBytes: quarantined });
  assert(usedBytes >= 0 && freeBytes >= 0 && freeBytes <= totalBytes, `used ${usedBytes}, free ${freeBytes} of ${totalBytes}`);
  return says.problems.length === 0 ? 'tree' : 'tree with reports';
}
