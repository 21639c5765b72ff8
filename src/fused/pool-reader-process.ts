/**
 * Process: answers what the data plane asks about the tree of one pool, out of the pool's log. It never
 * touches the mount, so it answers while the session hangs; and should the log's memory fail, or its log be
 * long, that is no matter of the data plane's own process, on which all pools of the host depend.
 */
import { FamfsError } from '../famfs/errors.ts';
import { Override, OverrideField, Overrides } from '../famfs/fuse/host-state/overrides.ts';
import { failed } from '../famfs/fuse/serving/messages.ts';
import { isSamePool } from '../famfs/fuse/session/served-pool.ts';
import { Liveness } from '../famfs/index/index-view.ts';
import { sourceOf } from '../famfs/pool/pool-source.ts';
import { Pool, type PoolNode } from '../famfs/pool/pool.ts';
import type { PoolAnswer, PoolQuestion, PoolRequest, ReadPool } from './pool-reader.ts';

const expected = JSON.parse(process.argv[2]) as ReadPool;
let opened: Pool | undefined;

function open(): Pool {
  const pool = Pool.open({ ...sourceOf(expected.device), uuid: expected.poolUuid });
  if (isSamePool(expected, { poolUuid: pool.uuid, logLife: pool.replayer.identity.logLife })) return pool;
  pool.close();
  throw replaced();
}

function replaced(): FamfsError {
  return new FamfsError('REPLACED', `${expected.device} does not hold the famfs ${expected.poolUuid} that is mounted: somebody wrote over its superblock, or formatted it anew`);
}

/** The answer by the log as it is now. Throws FamfsError REPLACED where it is another pool's. */
function answer(question: PoolQuestion): PoolAnswer {
  const pool = opened ??= open();
  pool.refresh();
  const found = find(pool, question);
  if (!pool.view.isSamePool()) throw replaced();
  return found;
}

function find(pool: Pool, question: PoolQuestion): PoolAnswer {
  if (question.ask === 'path') {
    return pool.view.liveness(question.node) === Liveness.Live ? { path: pool.view.path(question.node) } : {};
  }
  const found = pool.stat(question.path);
  if (found?.kind !== 'directory') return {};
  if (question.ask === 'directory') return { node: found.node, logLife: pool.replayer.identity.logLife };
  if (question.ask === 'readable') return { isReadable: isReadableByAll(pool, found, question.hostDirectory) };
  let [bytes, files] = [0, 0];
  for (const { kind, size } of pool.walk(question.path)) {
    if (kind === 'directory') continue;
    bytes += size;
    files++;
  }
  return { bytes, files };
}

/** For owner, group and others: a group that is shown instead of the file's own could give less than others have. */
function isReadableByAll(pool: Pool, directory: PoolNode, hostDirectory: string): boolean {
  const overrides = Overrides.open(hostDirectory, pool.uuid, pool.replayer.identity.logLife);
  const override = new Override();
  const isReadable = ({ node, kind, mode }: PoolNode) => {
    const shown = overrides.read(node, override) && override.has(OverrideField.mode) ? override.mode : mode;
    const wanted = kind === 'directory' ? 0o555 : 0o444;
    return (shown & wanted) === wanted;
  };
  try {
    if (!isReadable(directory)) return false;
    for (const node of pool.walk(directory.path)) if (!isReadable(node)) return false;
    return true;
  } finally {
    overrides.close();
  }
}

process.on('message', ({ id, question }: PoolRequest) => {
  try {
    process.send!({ id, answer: answer(question) });
  } catch (error) {
    process.send!({ id, failure: failed(error, 'DEVICE') });
  }
});
process.once('disconnect', () => process.exit(0));
