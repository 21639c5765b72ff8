/**
 * Process: one for each session. It mounts, answers INIT, holds /dev/fuse and never serves, so that
 * nothing can make it wait; a serving child does the work, and is replaced when it dies. It knows
 * nothing of devices and logs.
 */
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { FamfsError } from '../errors.ts';
import { Call } from './call.ts';
import { receive, send } from './channel.ts';
import { Counters } from './counters.ts';
import { Deaths } from './doubts.ts';
import { answerInit, limitations, MAX_WRITE, type Agreement } from './init.ts';
import type { SessionConfig, SessionRecord, SupervisorMessage } from './messages.ts';
import { famfsMountAt, mountFuse, unmountFuse } from './mount.ts';
import { Notifier } from './notifier.ts';
import { raiseReadAhead } from './read-ahead.ts';
import { type Prepared, ServingProcess, type ServingEnd } from './serving-process.ts';
import { countersFile, removeRecord, startTimeOf, writeRecord } from './session-record.ts';

/** A child that has lived for so long is no part of a row of deaths. */
const STABLE_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 2000;

class Supervisor {
  readonly #config: SessionConfig;
  readonly #fd: number;
  #child: ServingProcess;
  /** One that has replayed and will follow at once when the present one ends. */
  #successor: ServingProcess | undefined;
  readonly #deaths = new Deaths();
  /** Fulfilled while a child serves. */
  #settled: Promise<unknown> = Promise.resolve();
  #agreement: Agreement | undefined;
  /** The mount, as the kernel numbers it. */
  #device: string | undefined;
  /** How long to wait before the next one: longer when they end of themselves. */
  #pause = 0;

  constructor(config: SessionConfig) {
    this.#config = config;
    this.#fd = openFuse();
    this.#child = this.#spawn(); // it has nothing to read before the mount
  }

  /** Serves until the file system is unmounted. Throws when it cannot any longer. */
  async run(): Promise<void> {
    const prepared = await this.#child.prepared;
    const agreement = this.#agreement = await this.#mount(prepared);
    const limits = limitations(agreement);
    const recordOf = (child: ServingProcess) => this.#record(child, prepared, limits);
    const record = recordOf(this.#child);
    writeRecord(record);
    await (this.#settled = this.#child.serve({ type: 'serve', agreement, first: true, doubts: this.#deaths.doubts }));
    for (const problem of limits) this.#say(`on this kernel, ${problem}`);
    for (const problem of prepared.problems) this.#say(problem);
    await report({ type: 'serving', record });
    for (;;) {
      const began = performance.now();
      const end = await this.#child.ended;
      const { failure, ofItself } = end;
      if (failure === undefined) return;
      if (!agreement.resend) throw new FamfsError('DEVICE', `${this.#config.directory}: ${failure}; the session is over`);
      this.#learn(this.#child, end);
      if (ofItself && performance.now() - began < STABLE_MS) this.#wait();
      else this.#pause = 0;
      this.#say(`${failure}; another one goes on`);
      const replacing = this.#settled = this.#replace(this.#child, agreement, failure, recordOf);
      const next = await replacing;
      if (next === undefined) return;
      this.#child = next;
    }
  }

  /** Unmounts; a mount in use stays, and goes on being served. */
  async stop(): Promise<void> {
    if (this.#device === undefined) return this.#child.kill();
    try {
      await unmountFuse(this.#config.directory);
    } catch (error) {
      if (error instanceof FamfsError && error.code === 'NOT_FOUND') return; // out of sight, still in use
      this.#say(`not stopped: ${(error as Error).message}`);
    }
  }

  /** Replaces a healthy child, by one of a newer program for instance; the old one serves until the new one is ready. */
  async upgrade(): Promise<void> {
    if (!this.#agreement?.resend || this.#successor !== undefined) return;
    let successor: ServingProcess | undefined;
    try {
      successor = this.#successor = this.#spawn();
      await successor.prepared;
      await this.#settled;
      if (this.#successor === successor) this.#child.kill(); // or it has followed one that died meanwhile
    } catch (error) {
      this.#say(`the serving process stays as it is: ${(error as Error).message}`);
      successor?.kill();
      if (this.#successor === successor) this.#successor = undefined;
    }
  }

  /** Ends the children and, where it is there still, takes the mount away from its users. Forcing is not allowed in every user namespace. */
  async abandon(): Promise<void> {
    this.#child.kill();
    this.discard();
    const { directory } = this.#config;
    if (this.#device === undefined || famfsMountAt(directory)?.device !== this.#device) return;
    await unmountFuse(directory, { lazy: true, force: true })
      .catch(() => unmountFuse(directory, { lazy: true }))
      .catch(() => {});
  }

  /** Ends a child that was to follow, and never will. */
  discard(): void {
    this.#successor?.kill();
  }

  #spawn(): ServingProcess {
    return new ServingProcess(this.#config, this.#fd);
  }

  async #mount({ poolUuid }: Prepared): Promise<Agreement> {
    const { directory, readOnly } = this.#config;
    await mountFuse(this.#fd, directory, poolUuid, readOnly);
    this.#device = famfsMountAt(directory)?.device ?? '';
    const call = new Call(MAX_WRITE);
    const length = receive(this.#fd, call.request);
    if (length === undefined) throw new FamfsError('DEVICE', `${directory} was unmounted at once`);
    call.begin(length);
    const agreement = answerInit(call);
    call.finish(0);
    send(this.#fd, call);
    raiseReadAhead(directory);
    return agreement;
  }

  /**
   * Lets another child go on where one has died: the kernel gives it again what the dead one had
   * taken and not answered. Answers none when the file system was unmounted meanwhile. Throws when
   * for a long time there was no child that could.
   */
  async #replace(dead: ServingProcess, agreement: Agreement, failure: string, recordOf: (child: ServingProcess) => SessionRecord): Promise<ServingProcess | undefined> {
    const { directory, patienceMs } = this.#config;
    const began = performance.now();
    const left = () => patienceMs - (performance.now() - began);
    const allDead = [dead];
    let reason = failure;
    do {
      if (this.#pause > 0) await sleep(this.#pause);
      let next: ServingProcess | undefined;
      try {
        next = this.#successor ?? this.#spawn();
        this.#successor = undefined;
        await within(left(), this.#follow(next, allDead, agreement, () => recordOf(next!)));
        return next;
      } catch (error) {
        next?.kill();
        const end = next === undefined ? {} : await within(LAST_PAUSE_MS, next.ended).catch((): ServingEnd => ({ failure: 'it does not end' }));
        if (!new Notifier(this.#fd, agreement.epoch).isMounted()) return undefined;
        if (next !== undefined) {
          this.#learn(next, end);
          allDead.push(next);
        }
        const now = left() > 0 ? (error as Error).message : reason; // an attempt that was cut short says nothing
        if (now !== reason) this.#say(`no serving process: ${now}`);
        reason = now;
        this.#wait();
      }
    } while (left() > 0);
    throw new FamfsError('DEVICE', `${directory}: ${reason}; for ${patienceMs / 1000} s no other could serve, the session is over`);
  }

  /** Resolves when a child serves where others did. */
  async #follow(next: ServingProcess, dead: readonly ServingProcess[], agreement: Agreement, record: () => SessionRecord): Promise<void> {
    await next.prepared;
    // Or a late store of theirs could hit memory that was given to others.
    await Promise.all(dead.map((each) => each.workersGone()));
    try {
      writeRecord(record()); // before it serves: should this process die, others know by it that the child is there
    } catch (error) {
      this.#say(`the session's record names a serving process that is gone: ${(error as Error).message}`);
    }
    new Notifier(this.#fd, agreement.epoch).resend(); // nobody reads yet, so nobody has two of one request
    await next.serve({ type: 'serve', agreement, first: false, doubts: this.#deaths.doubts });
  }

  /** What a child that has died of itself was at may be the reason. */
  #learn(child: ServingProcess, { inRequest }: ServingEnd): void {
    if (!inRequest || !child.began) return;
    const file = countersFile(this.#config.hostDirectory, process.pid);
    const requests = fs.existsSync(file) ? Counters.copyOf(fs.readFileSync(file)).current() : [];
    for (const { opcode, node, offset, length } of this.#deaths.add(requests)) {
      this.#say(`request ${opcode} of node ${node}, ${length} bytes at ${offset}, was the end of two serving processes: it is answered EIO from now on`);
    }
  }

  #wait(): void {
    this.#pause = Math.min(Math.max(2 * this.#pause, FIRST_PAUSE_MS), LAST_PAUSE_MS);
  }

  #record({ pid, startTime }: ServingProcess, { poolUuid, problems }: Prepared, limits: readonly string[]): SessionRecord {
    return {
      ...this.#config, poolUuid, pid: process.pid, startTime: startTimeOf(process.pid)!, child: { pid, startTime }, problems, limitations: limits,
      bad: this.#deaths.bad,
    };
  }

  #say(text: string): void {
    console.error(`famfs: ${this.#config.directory}: ${text}`);
  }
}

/** Rejects when a promise takes longer. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = sleep(Math.max(ms, 1), undefined, { signal: timer.signal }).then(() => { throw new Error('the serving process does not get ready'); });
  try {
    return await Promise.race([promise, late]);
  } finally {
    late.catch(() => {});
    timer.abort();
  }
}

function openFuse(): number {
  try {
    return fs.openSync('/dev/fuse', 'r+');
  } catch (error) {
    throw new FamfsError('DEVICE', `/dev/fuse cannot be opened: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** Tells whoever asked for the session, if still there. */
function report(message: SupervisorMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send!(message, undefined, undefined, () => resolve());
    else resolve();
  });
}

async function main(config: SessionConfig): Promise<number> {
  let supervisor: Supervisor | undefined;
  try {
    removeRecord(config.hostDirectory, process.pid); // of an earlier process of that number
    const running = supervisor = new Supervisor(config);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void running.stop());
    process.on('SIGHUP', () => {}); // the terminal went, the mount stays
    process.on('SIGUSR2', () => void running.upgrade());
    await running.run();
    running.discard();
    removeRecord(config.hostDirectory, process.pid);
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof FamfsError ? error.code : 'DEVICE';
    console.error(`famfs: ${message}`);
    await supervisor?.abandon();
    if (supervisor !== undefined) removeRecord(config.hostDirectory, process.pid);
    await report({ type: 'failed', code, message });
    return 1;
  }
}

process.exit(await main(JSON.parse(process.argv[2]) as SessionConfig));
