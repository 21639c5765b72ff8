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
import { mountFuse, unmountFuse } from './mount.ts';
import { Notifier } from './notifier.ts';
import { raiseReadAhead } from './read-ahead.ts';
import { type Prepared, ServingProcess, type ServingEnd } from './serving-process.ts';
import { countersFile, removeRecord, startTimeOf, writeRecord } from './session-record.ts';

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
  #mounted = false;

  constructor(config: SessionConfig) {
    this.#config = config;
    this.#fd = openFuse();
    this.#child = this.#spawn(); // it has nothing to read before the mount
  }

  /** Serves until the file system is unmounted. Throws when it cannot any longer. */
  async run(): Promise<void> {
    const prepared = await this.#child.prepared;
    const agreement = await this.#mount(prepared);
    const limits = limitations(agreement);
    /** Before a child serves: should this process die, others know by the record that the child is there. */
    const announce = (child: ServingProcess) => this.#record(child, prepared, limits);
    const record = announce(this.#child);
    await this.#child.serve({ type: 'serve', agreement, first: true, doubts: this.#deaths.doubts });
    for (const problem of limits) this.#say(`on this kernel, ${problem}`);
    for (const problem of prepared.problems) this.#say(problem);
    await report({ type: 'serving', record });
    for (;;) {
      const { failure, ofItself } = await this.#child.ended;
      if (failure === undefined) return;
      if (ofItself) this.#learn();
      if (!agreement.resend) throw new FamfsError('DEVICE', `${this.#config.directory}: ${failure}; the session is over`);
      this.#say(`${failure}; another one goes on`);
      const next = this.#settled = this.#replace(this.#child, agreement, failure, announce);
      this.#child = await next;
    }
  }

  /** Unmounts; a mount in use stays, and goes on being served. */
  async stop(): Promise<void> {
    if (!this.#mounted) return this.#child.kill();
    try {
      await unmountFuse(this.#config.directory);
    } catch (error) {
      if (error instanceof FamfsError && error.code === 'NOT_FOUND') return; // out of sight, still in use
      this.#say(`not stopped: ${(error as Error).message}`);
    }
  }

  /** Replaces a healthy child, by one of a newer program for instance; the old one serves until the new one is ready. */
  async upgrade(): Promise<void> {
    if (!this.#mounted || this.#successor !== undefined) return;
    const successor = this.#successor = this.#spawn();
    try {
      await successor.prepared;
      await this.#settled;
      if (this.#successor === successor) this.#child.kill(); // or it has followed one that died meanwhile
    } catch (error) {
      this.#say(`the serving process stays as it is: ${(error as Error).message}`);
      if (this.#successor === successor) this.#successor = undefined;
    }
  }

  /** Takes the mount away from its users. Forcing is not allowed in every user namespace. */
  async abandon(): Promise<void> {
    this.#child.kill();
    this.#successor?.kill();
    if (!this.#mounted) return;
    const { directory } = this.#config;
    await unmountFuse(directory, { lazy: true, force: true })
      .catch(() => unmountFuse(directory, { lazy: true }))
      .catch(() => {});
  }

  #spawn(): ServingProcess {
    return new ServingProcess(this.#config, this.#fd);
  }

  async #mount({ poolUuid }: Prepared): Promise<Agreement> {
    const { directory, readOnly } = this.#config;
    await mountFuse(this.#fd, directory, poolUuid, readOnly);
    this.#mounted = true;
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
   * taken and not answered. Throws when for a long time there was none that could.
   */
  async #replace(dead: ServingProcess, agreement: Agreement, failure: string, announce: (child: ServingProcess) => void): Promise<ServingProcess> {
    const { directory, patienceMs } = this.#config;
    const began = performance.now();
    const notifier = new Notifier(this.#fd, agreement.epoch);
    let reason = failure;
    for (let pause = FIRST_PAUSE_MS; performance.now() - began < patienceMs; pause = Math.min(2 * pause, LAST_PAUSE_MS)) {
      const next = this.#successor ?? this.#spawn();
      this.#successor = undefined;
      let served = false;
      try {
        await next.prepared;
        await dead.workersGone(); // or a late store of theirs could hit memory that was given to others
        announce(next);
        served = true;
        const serving = next.serve({ type: 'serve', agreement, first: false, doubts: this.#deaths.doubts });
        notifier.resend();
        await serving;
        return next;
      } catch (error) {
        const end: ServingEnd = await Promise.race([next.ended, sleep(LAST_PAUSE_MS, { failure: 'it does not end' }, { ref: false })]);
        if (end.failure === undefined) return next; // unmounted meanwhile
        if (served && end.ofItself) this.#learn();
        next.kill();
        dead = next;
        const now = (error as Error).message;
        if (now !== reason) this.#say(`no serving process: ${now}`);
        reason = now;
      }
      await sleep(pause);
    }
    throw new FamfsError('DEVICE', `${directory}: ${reason}; for ${patienceMs / 1000} s no other could serve, the session is over`);
  }

  /** A child has died of itself: what it was at may be the reason. */
  #learn(): void {
    const file = countersFile(this.#config.hostDirectory, process.pid);
    const requests = fs.existsSync(file) ? Counters.copyOf(fs.readFileSync(file)).current() : [];
    for (const { opcode, node, offset, length } of this.#deaths.add(requests)) {
      this.#say(`request ${opcode} of node ${node}, ${length} bytes at ${offset}, was the end of two serving processes: it is answered EIO from now on`);
    }
  }

  #record({ pid, startTime }: ServingProcess, { poolUuid, problems }: Prepared, limits: readonly string[]): SessionRecord {
    const record: SessionRecord = {
      ...this.#config, poolUuid, pid: process.pid, startTime: startTimeOf(process.pid)!, child: { pid, startTime }, problems, limitations: limits,
      bad: this.#deaths.bad,
    };
    writeRecord(record);
    return record;
  }

  #say(text: string): void {
    console.error(`famfs: ${this.#config.directory}: ${text}`);
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
  removeRecord(config.hostDirectory, process.pid); // of an earlier process of that number
  try {
    const running = supervisor = new Supervisor(config);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void running.stop());
    process.on('SIGHUP', () => {}); // the terminal went, the mount stays
    process.on('SIGUSR2', () => void running.upgrade());
    await running.run();
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof FamfsError ? error.code : 'DEVICE';
    console.error(`famfs: ${message}`);
    await supervisor?.abandon();
    await report({ type: 'failed', code, message });
    return 1;
  } finally {
    removeRecord(config.hostDirectory, process.pid);
  }
}

process.exit(await main(JSON.parse(process.argv[2]) as SessionConfig));
