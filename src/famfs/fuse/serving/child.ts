/**
 * Process: serves a session. It inherits /dev/fuse as descriptor 3, has no state of its own that
 * matters, and may die at any time. Workers answer the kernel, one thread replays the log. The main
 * thread only sends notifications to the kernel: each may wait until a worker has answered a WRITE,
 * so no worker may send one, nor the replaying thread, for which workers wait.
 */
import os from 'node:os';
import { Worker } from 'node:worker_threads';
import type { MappedMemory } from '../../device/pool-memory.ts';
import { Populated } from '../../device/populated.ts';
import { FamfsError } from '../../errors.ts';
import { type IndexHandle, nodeOf, Status } from '../../index/index-store.ts';
import { IndexView } from '../../index/index-view.ts';
import { logLifeText } from '../../index/pool-identity.ts';
import { moduleFile } from '../../module-file.ts';
import { openMemory, sourceOf } from '../../pool/pool-source.ts';
import { attachCounters, countersFile, openCounters } from '../host-state/counters-file.ts';
import { Override, OverrideField, Overrides } from '../host-state/overrides.ts';
import { Notifier } from '../protocol/notifier.ts';
import { die } from './die.ts';
import {
  type ChildMessage, failed, type ReplayData, type ReplayMessage, type Serve, type SessionConfig, type ToldProblems,
  type Watch, type WorkerData,
} from './messages.ts';
import { RequestParity } from './quiescence.ts';

/** Where the supervisor puts /dev/fuse: the fourth of the child's stdio. */
const FUSE_FD = 3;

/** One worker halves the speed at queue depth 1; more than four buy nothing. */
const workerCount = () => Math.max(2, Math.min(os.availableParallelism(), 4));

class ServingChild {
  readonly #counters: string;
  readonly #memory: MappedMemory;
  readonly #stop = new SharedArrayBuffer(4);
  readonly #populated: SharedArrayBuffer;
  readonly #parity = RequestParity.of(workerCount()).shared;
  readonly #replay: Worker;
  #index!: IndexHandle;
  #view!: IndexView;
  #overrides!: Overrides;
  #notifier: Notifier | undefined;
  /** The kernel has been notified of what changed before this child served. */
  #hasNotifiedMissed = false;
  /** Sequence of each override that the kernel has been notified of, by node. */
  readonly #notifiedOverrides = new Map<number, number>();
  /** Mount group of each directory that the kernel has been notified of. */
  readonly #groups = new Map<number, number>();

  constructor(config: SessionConfig) {
    this.#counters = countersFile(config.hostDirectory, config.id);
    this.#memory = openMemory(sourceOf(config.device), { writable: !config.readOnly });
    this.#populated = Populated.marks(this.#memory.handle());
    const workerData: ReplayData = { memory: this.#memory.handle(), stop: this.#stop };
    this.#replay = new Worker(moduleFile(import.meta.url, 'replay-thread'), { workerData });
    this.#replay.on('error', die);
    this.#replay.on('message', (message: ReplayMessage) => orFail(() => this.#onReplayMessage(message, config)));
  }

  #onReplayMessage(message: ReplayMessage, config: SessionConfig): void {
    switch (message.type) {
      case 'failed':
        return failToServe(new FamfsError(message.code, message.message));
      case 'replayed':
        return this.#onPrepared(message, config);
      case 'changed':
        return this.#notifyRemoved(message.removed, message.rebuilt);
      case 'overrides':
        return this.#notifyOverrides();
      case 'replaced':
        return sendToSupervisor({ type: 'replaced' });
    }
  }

  #onPrepared(told: Required<ToldProblems> & { readonly index: IndexHandle }, config: SessionConfig): void {
    const { index, problems, problemCount } = told;
    this.#index = index;
    this.#view = new IndexView(index, this.#memory);
    const { poolUuid } = this.#view;
    const logLife = logLifeText(index.identity);
    this.#overrides = Overrides.open(config.hostDirectory, poolUuid, logLife);
    // Without notifications: #notifyMissed sends them.
    this.#overrides.changesSince(this.#notifiedOverrides, (node) => this.#groupChanged(node));
    sendToSupervisor({ type: 'prepared', poolUuid, logLife, problems, problemCount });
  }

  /** The mount is there: starts the workers, and tells the supervisor when all of them wait for requests. */
  serve({ agreement, first, doubts: crashFindings }: Serve): void {
    const count = workerCount();
    const counters = openCounters(this.#counters, count); // not before: another child may have used it
    attachCounters(counters).clearCurrent(); // the supervisor has read it before it sent us here
    sendToSupervisor({ type: 'began' });
    const gateLock = new SharedArrayBuffer(4);
    let starting = count;
    let living = count;
    for (let number = 0; number < count; number++) {
      const workerData: WorkerData = {
        fd: FUSE_FD,
        number,
        memory: this.#memory.handle(),
        populated: this.#populated,
        index: this.#index,
        overrides: this.#overrides.handle(),
        counters,
        parity: this.#parity,
        agreement,
        crashFindings,
        gateLock,
      };
      const worker = new Worker(moduleFile(import.meta.url, 'worker'), { workerData });
      worker.on('error', die);
      worker.on('message', () => --starting === 0 && this.#onServing(first));
      worker.on('exit', () => --living === 0 && this.#onUnmounted());
    }
    this.#notifier = new Notifier(FUSE_FD, agreement.epoch);
    // Not before: from here on no other child serves, and what this one's workers have passed counts for the host.
    const watch: Watch = { overrides: this.#overrides.handle(), counters, parity: this.#parity };
    this.#replay.postMessage(watch);
  }

  #onServing(first: boolean): void {
    sendToSupervisor({ type: 'serving' });
    if (!first) this.#notifyMissed();
    this.#hasNotifiedMissed = true;
  }

  /** Notifies the kernel of what may have changed between the last look of the child before and the first one of this. */
  #notifyMissed(): void {
    const { slotsUsed } = this.#view.usage();
    const dead: number[] = [];
    for (let index = 0; index < slotsUsed; index++) {
      const status = this.#view.statusAt(index);
      if (status === Status.Quarantined || status === Status.Void) dead.push(nodeOf(index));
    }
    this.#notifyRemoved(dead, true);
    const generation = this.#overrides.generation();
    this.#overrides.changesSince(this.#notifiedOverrides, (node) => this.#groupChanged(node));
    for (const node of this.#notifiedOverrides.keys()) {
      if (this.#view.isDirectory(node)) this.#notifyBelow(node); // its group may have been lifted
      this.#notifier!.invalidateAttributes(node);
    }
    this.#overrides.setNotified(generation);
  }

  /** Notifies the kernel of removals by any host. Names before inodes: nobody shall find a removed one by its name again. */
  #notifyRemoved(removed: readonly number[], rebuilt: boolean): void {
    if (removed.length > 0 || rebuilt) this.#notifier?.invalidateNames();
    for (const node of removed) {
      this.#notifier?.invalidateNode(node);
      this.#notifiedOverrides.delete(node);
      this.#groups.delete(node);
    }
    this.#overrides?.forget(removed);
    if (removed.length > 0 || rebuilt) new Populated(this.#memory.handle(), this.#populated).forget(); // holes may be punched where they were
  }

  /**
   * Notifies the kernel of new overrides: by a worker, another session of the pool on this host, or the
   * data plane, which waits for `setNotified`.
   */
  #notifyOverrides(): void {
    if (!this.#hasNotifiedMissed) return; // which will notify of all there is
    const generation = this.#overrides.generation();
    this.#overrides.changesSince(this.#notifiedOverrides, (node) => {
      if (this.#groupChanged(node)) this.#notifyBelow(node);
      this.#notifier?.invalidateAttributes(node);
    });
    this.#overrides.setNotified(generation);
  }

  /** Whether a directory has another mount group than it had, and so has all below it. */
  #groupChanged(node: number): boolean {
    const override = new Override();
    const grouped = this.#overrides.read(node, override) && override.has(OverrideField.group);
    const before = this.#groups.get(node);
    if (grouped) this.#groups.set(node, override.group);
    else this.#groups.delete(node);
    return this.#groups.get(node) !== before;
  }

  /** Notifies the kernel that the attributes of all below a directory have changed. */
  #notifyBelow(directory: number): void {
    for (let node = this.#view.firstChild(directory); node !== 0; node = this.#view.nextSibling(node)) {
      if (this.#view.isDirectory(node)) this.#notifyBelow(node);
      this.#notifier?.invalidateAttributes(node);
    }
  }

  #onUnmounted(): void {
    this.#replay.once('exit', () => process.exit(0));
    Atomics.store(new Int32Array(this.#stop), 0, 1);
  }
}

function sendToSupervisor(message: ChildMessage): void {
  // A supervisor that is gone does not end the session: this process holds the mount too.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

/**
 * Before anything is served: tells the supervisor why not, and ends. By a signal, since an exit would wait
 * for the threads, and nothing of this process is to be saved.
 */
function failToServe(error: unknown): void {
  const end = () => process.kill(process.pid, 'SIGKILL');
  process.send!(failed(error, 'DEVICE') satisfies ChildMessage, undefined, undefined, end);
}

/** Does what can fail for want of room on this host, and tells the supervisor so; anything else is a mistake of ours. */
function orFail(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof FamfsError)) throw error;
    failToServe(error);
  }
}

// A terminal's Ctrl-C and a container's stop are the supervisor's to answer: it unmounts.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('uncaughtException', (error) => die(error));

try {
  const child = new ServingChild(JSON.parse(process.argv[2]) as SessionConfig);
  // Without a supervisor, nobody would ever let it serve.
  const end = () => void process.kill(process.pid, 'SIGKILL');
  process.once('disconnect', end);
  if (!process.connected) end();
  process.on('message', (message: Serve) => {
    process.off('disconnect', end);
    orFail(() => child.serve(message));
  });
} catch (error) {
  failToServe(error);
}
