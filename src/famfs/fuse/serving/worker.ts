/** Thread: serves requests until the file system is unmounted. It never returns to its event loop. */
import { parentPort, workerData } from 'node:worker_threads';
import { MappedMemory, type Window } from '../../device/pool-memory.ts';
import { Populated } from '../../device/populated.ts';
import { IndexView } from '../../index/index-view.ts';
import { attachCounters } from '../host-state/counters-file.ts';
import { Override, Overrides } from '../host-state/overrides.ts';
import { checkBuffers, dispatch, refuse } from '../operations/dispatch.ts';
import type { FileSystem } from '../operations/file-system.ts';
import { Call } from '../protocol/call.ts';
import { receive, send } from '../protocol/channel.ts';
import { die, stackOf, writeError } from './die.ts';
import type { WorkerData } from './messages.ts';
import { RequestParity } from './quiescence.ts';
import { RequestGate } from './request-gate.ts';

/** How long a kernel with FUSE_NOTIFY_INC_EPOCH may cache names and attributes: we notify it of each change. */
const LONG_SECONDS = 86_400;
const SHORT_SECONDS = 1;

/** A mistake that comes with every request must not fill the host's log. */
const MOST_REPORTS = 20;

function serve(data: WorkerData): void {
  const { fd, agreement } = data;
  let reports = 0;
  const memory = MappedMemory.attach(data.memory);
  const populated = new Populated(data.memory, data.populated);
  const fileSystem: FileSystem = {
    index: new IndexView(data.index, memory),
    overrides: Overrides.attach(data.overrides),
    memory,
    populated,
    bad: data.crashFindings.bad,
    cacheSeconds: agreement.epoch ? LONG_SECONDS : SHORT_SECONDS,
    override: new Override(),
    failed: (operation, error) => {
      if (++reports > MOST_REPORTS) return;
      writeError(`${operation} failed and was answered EIO: ${stackOf(error)}`);
    },
  };
  const call = new Call(agreement.maxWrite);
  checkBuffers(call, agreement.maxWrite);
  const counters = attachCounters(data.counters).of(data.number);
  const parity = new RequestParity(data.parity);
  const gate = new RequestGate(data.crashFindings, data.gateLock);
  const isReadable = (window: Window) => populated.isReadable(window);
  parentPort?.postMessage('serving');
  for (;;) {
    const length = receive(fd, call.request);
    if (length === undefined) return;
    parity.flip(data.number);
    gate.enter();
    try {
      const hasReply = gate.refuses(call) ? refuse(call, length) : dispatch(call, length, fileSystem, counters);
      if (hasReply) send(fd, call, isReadable);
    } catch (error) {
      return die(error, 'inRequest');
    }
    counters.answered();
    gate.leave();
    parity.flip(data.number);
  }
}

try {
  serve(workerData as WorkerData);
} catch (error) {
  die(error);
}
