/**
 * Process: serves a session. It inherits /dev/fuse as descriptor 3, has no state of its own that
 * matters, and may die at any time. Its main thread stays free, to send notifications: they may
 * block until a worker has answered.
 */
import os from 'node:os';
import { Worker } from 'node:worker_threads';
import type { MappedMemory } from '../../device/pool-memory.ts';
import { Populated } from '../../device/populated.ts';
import { FamfsError } from '../../errors.ts';
import { type IndexHandle, nodeOf, Status } from '../../index/index-store.ts';
import { IndexView } from '../../index/index-view.ts';
import { moduleFile } from '../../module-file.ts';
import { openMemory, sourceOf } from '../../pool/pool-source.ts';
import { attachCounters, countersFile, openCounters } from '../host-state/counters-file.ts';
import { Override, OverrideField, Overrides } from '../host-state/overrides.ts';
import { Notifier } from '../protocol/notifier.ts';
import { die } from './die.ts';
import type { ChildMessage, ReplayData, ReplayMessage, Serve, SessionConfig, Watch, WorkerData } from './messages.ts';
import { Turns } from './quiescence.ts';

/** Where the supervisor puts /dev/fuse: the fourth of the child's stdio. */
const FUSE_FD = 3;

/** One worker halves the speed at queue depth 1; more than four buy nothing. */
const workerCount = () => Math.max(2, Math.min(os.availableParallelism(), 4));

class ServingChild {
  readonly #counters: string;
  readonly #memory: MappedMemory;
  readonly #stop = new SharedArrayBuffer(4);
  readonly #populated: SharedArrayBuffer;
  readonly #turns = Turns.of(workerCount()).shared;
  readonly #replay: Worker;
  #index!: IndexHandle;
  #view!: IndexView;
  #overrides!: Overrides;
  #notifier: Notifier | undefined;
  /** The kernel has been told of what changed before this child served. */
  #caughtUp = false;
  /** Sequence of each override the kernel has been told of. */
  readonly #told = new Map<number, number>();
  /** Mount group of each directory, as the kernel has been told. */
  readonly #groups = new Map<number, number>();

  constructor(config: SessionConfig) {
    this.#counters = countersFile(config.hostDirectory, config.id);
    this.#memory = openMemory(sourceOf(config.device), { writable: !config.readOnly });
    this.#populated = Populated.marks(this.#memory.handle());
    const workerData: ReplayData = { memory: this.#memory.handle(), stop: this.#stop };
    this.#replay = new Worker(moduleFile(import.meta.url, 'replay-thread'), { workerData });
    this.#replay.on('error', die);
    this.#replay.on('message', (message: ReplayMessage) => this.#replayed(message, config));
  }

  #replayed(message: ReplayMessage, config: SessionConfig): void {
    switch (message.type) {
      case 'failed':
        return fail(new FamfsError(message.code, message.message));
      case 'replayed':
        return this.#prepared(message.index, message.problems, config);
      case 'changed':
        return this.#changed(message.removed, message.rebuilt);
      case 'overrides':
        return this.#overridden();
    }
  }

  #prepared(index: IndexHandle, problems: readonly string[], config: SessionConfig): void {
    this.#index = index;
    this.#view = new IndexView(index, this.#memory);
    const poolUuid = this.#view.poolUuid;
    this.#overrides = Overrides.open(config.hostDirectory, poolUuid);
    this.#overrides.changesSince(this.#told, (node) => this.#groupChanged(node)); // known from the start
    tell({ type: 'prepared', poolUuid, problems });
  }

  /** The mount is there: starts the workers, and says when all of them wait for requests. */
  serve({ agreement, first, doubts }: Serve): void {
    const count = workerCount();
    const counters = openCounters(this.#counters, count); // not before: another child may have used it
    attachCounters(counters).clearCurrent(); // whoever sent us here has read it
    tell({ type: 'began' });
    const lock = new SharedArrayBuffer(4);
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
        turns: this.#turns,
        agreement,
        doubts,
        lock,
      };
      const worker = new Worker(moduleFile(import.meta.url, 'worker'), { workerData });
      worker.on('error', die);
      worker.on('message', () => --starting === 0 && this.#serving(first));
      worker.on('exit', () => --living === 0 && this.#unmounted());
    }
    this.#notifier = new Notifier(FUSE_FD, agreement.epoch);
    // Not before: what this child has passed counts for the host when no other one serves.
    const watch: Watch = { overrides: this.#overrides.handle(), counters, turns: this.#turns };
    this.#replay.postMessage(watch);
  }

  #serving(first: boolean): void {
    tell({ type: 'serving' });
    if (!first) this.#tellWhatWasMissed();
    this.#caughtUp = true;
  }

  /** What changed between the last look of the child before and the first one of this. */
  #tellWhatWasMissed(): void {
    const { slotsUsed } = this.#view.usage();
    const dead: number[] = [];
    for (let index = 0; index < slotsUsed; index++) {
      const status = this.#view.statusAt(index);
      if (status === Status.Quarantined || status === Status.Void) dead.push(nodeOf(index));
    }
    this.#changed(dead, true);
    const generation = this.#overrides.generation();
    this.#overrides.changesSince(this.#told, (node) => this.#groupChanged(node));
    for (const node of this.#told.keys()) {
      if (this.#view.isDirectory(node)) this.#below(node); // its group may have been lifted
      this.#notifier!.attributes(node);
    }
    this.#overrides.acknowledge(generation);
  }

  /** Removals by any host. Names before inodes: nobody shall find a removed one by its name again. */
  #changed(removed: readonly number[], rebuilt: boolean): void {
    if (removed.length > 0 || rebuilt) this.#notifier?.names();
    for (const node of removed) {
      this.#notifier?.removed(node);
      this.#told.delete(node);
      this.#groups.delete(node);
    }
    this.#overrides?.forget(removed);
    if (removed.length > 0 || rebuilt) new Populated(this.#memory.handle(), this.#populated).forget(); // holes may be punched where they were
  }

  /**
   * Overrides set by a worker, another session of the pool on this host, or the host's service, which
   * waits until the kernel believes nothing else.
   */
  #overridden(): void {
    if (!this.#caughtUp) return; // that tells of all there is
    const generation = this.#overrides.generation();
    this.#overrides.changesSince(this.#told, (node) => {
      if (this.#groupChanged(node)) this.#below(node);
      this.#notifier?.attributes(node);
    });
    this.#overrides.acknowledge(generation);
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

  #below(directory: number): void {
    for (let node = this.#view.firstChild(directory); node !== 0; node = this.#view.nextSibling(node)) {
      if (this.#view.isDirectory(node)) this.#below(node);
      this.#notifier?.attributes(node);
    }
  }

  #unmounted(): void {
    this.#replay.once('exit', () => process.exit(0));
    Atomics.store(new Int32Array(this.#stop), 0, 1);
  }
}

function tell(message: ChildMessage): void {
  // A supervisor that is gone does not end the session: this process holds the mount too.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

/**
 * Nothing is served yet: says why and ends, without the tear-down of threads that an exit is: nothing
 * of this process is to be saved.
 */
function fail(error: unknown): void {
  const code = error instanceof FamfsError ? error.code : 'DEVICE';
  const message = error instanceof Error ? error.message : String(error);
  const told = () => process.kill(process.pid, 'SIGKILL');
  process.send!({ type: 'failed', code, message } satisfies ChildMessage, undefined, undefined, told);
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
    child.serve(message);
  });
} catch (error) {
  fail(error);
}
