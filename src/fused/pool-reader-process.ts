/**
 * Process: answers what the data plane asks about the tree of one pool, out of the pool's log. It never
 * touches the mount, so it answers while the session hangs; and should the log's memory fail, or its log be
 * long, that is no matter of the data plane's own process, on which all pools of the host depend.
 */
import { failed } from '../famfs/fuse/serving/messages.ts';
import { Liveness } from '../famfs/index/index-view.ts';
import { Pool } from '../famfs/pool/pool.ts';
import type { PoolSource } from '../famfs/pool/pool-source.ts';
import type { PoolAnswer, PoolQuestion, PoolRequest } from './pool-reader.ts';

const source = JSON.parse(process.argv[2]) as PoolSource;
let opened: Pool | undefined;

function answer(question: PoolQuestion): PoolAnswer {
  const pool = opened ??= Pool.open(source);
  pool.refresh();
  if (question.ask === 'path') {
    return pool.view.liveness(question.node) === Liveness.Live ? { path: pool.view.path(question.node) } : {};
  }
  const found = pool.stat(question.path);
  if (found?.kind !== 'directory') return {};
  if (question.ask === 'directory') return { node: found.node };
  let [bytes, files] = [0, 0];
  for (const { kind, size } of pool.walk(question.path)) {
    if (kind === 'directory') continue;
    bytes += size;
    files++;
  }
  return { bytes, files };
}

process.on('message', ({ id, question }: PoolRequest) => {
  try {
    process.send!({ id, answer: answer(question) });
  } catch (error) {
    process.send!({ id, failure: failed(error, 'DEVICE') });
  }
});
process.once('disconnect', () => process.exit(0));
