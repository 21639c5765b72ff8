/** Thread: keeps the index of a session up to date, and sends what changed to the main thread. */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { MappedMemory } from '../../device/pool-memory.ts';
import { describeProblem, type Problem } from '../../log/problem.ts';
import { Replayer } from '../../log/replayer.ts';
import { attachCounters } from '../host-state/counters-file.ts';
import type { Counters } from '../host-state/counters.ts';
import { Overrides } from '../host-state/overrides.ts';
import { die } from './die.ts';
import { failed, type ReplayData, type ReplayMessage, type Watch } from './messages.ts';
import { QuiescentPoint, RequestParity } from './quiescence.ts';

/** How long a change by another host stays unnoticed where nobody asks for it. */
const POLL_MS = 20;
/** How long another pool must be seen before the session ends: a byte that somebody damages and puts right ends none. */
const DOUBT_MS = 200;
/** Problems of each kind that are named: for a line of a log. `fsck` names more. */
const NAMED_MAX = 4;

const port = parentPort!;
const post = (message: ReplayMessage) => port.postMessage(message);

function start(data: ReplayData): void {
  let replayer: Replayer;
  try {
    replayer = Replayer.create(MappedMemory.attach(data.memory), { pauseAfterMs: POLL_MS, namedMax: NAMED_MAX });
  } catch (error) {
    return post(failed(error, 'DAMAGED'));
  }
  post({ type: 'replayed', index: replayer.handle, problems: textsOf(replayer.problems), problemCount: replayer.problemCount });
  follow(replayer, new Int32Array(data.stop));
}

/**
 * Replays whenever a worker asks for it, and every 20 ms. The result is visible to the workers before
 * the main thread hears of it: so a request of the kernel that a notification leads to finds it there.
 * Ends when the pool is formatted anew: what is in memory then is not what the session is of.
 */
function follow(replayer: Replayer, stop: Int32Array): void {
  let overrides: Overrides | undefined;
  let counters: Counters | undefined;
  let point: QuiescentPoint | undefined;
  let generation = 0;
  let replacedSince: number | undefined;
  while (Atomics.load(stop, 0) === 0) {
    replayer.waitForRequest(POLL_MS);
    const { removed, rebuilt } = replayer.catchUp();
    if (!replayer.identity.isUnchanged()) { // what was read may be of another pool: nobody is told of it
      if ((replacedSince ??= performance.now()) > performance.now() - DOUBT_MS) continue;
      post({ type: 'replaced' });
      break;
    }
    replacedSince = undefined;
    if (removed.length > 0 || rebuilt) post({ type: 'changed', removed, rebuilt });
    counters?.recordLook(replayer.end);
    const passed = point?.passed(replayer.change);
    if (passed !== undefined) counters!.acknowledge(passed);

    if (overrides === undefined) {
      const watch = receiveMessageOnPort(port)?.message as Watch | undefined;
      if (watch === undefined) continue;
      overrides = Overrides.attach(watch.overrides);
      counters = attachCounters(watch.counters);
      point = new QuiescentPoint(new RequestParity(watch.parity));
    } else if (overrides.generation() !== generation) {
      generation = overrides.generation();
      post({ type: 'overrides' });
    }
  }
  overrides?.close();
  port.close();
}

/** What a person should hear of, a line each: damage and rejects, not notes. */
function textsOf(problems: readonly Problem[]): string[] {
  return problems.filter(({ severity }) => severity !== 'note').map(describeProblem);
}

try {
  start(workerData as ReplayData);
} catch (error) {
  die(error);
}
