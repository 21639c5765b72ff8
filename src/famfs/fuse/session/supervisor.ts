/**
 * Process: one for each session. It mounts, answers INIT, keeps /dev/fuse open and never serves, so that
 * nothing can make it wait; a serving child does the work, and is replaced when it dies (how: see
 * serving-process.ts). It knows nothing of devices and logs.
 */
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { FamfsError, messageOf } from '../../errors.ts';
import { withTimeout } from '../../with-timeout.ts';
import { countersFile } from '../host-state/counters-file.ts';
import { Counters } from '../host-state/counters.ts';
import { openFuse } from '../mount/fuse-device.ts';
import { famfsMountAt, mountFuse, unmountFuse } from '../mount/mount.ts';
import { raisePagesLimit, raiseReadAhead } from '../mount/read-ahead.ts';
import { Call } from '../protocol/call.ts';
import { receive, send } from '../protocol/channel.ts';
import { answerInit, limitations, MAX_WRITE } from '../protocol/init.ts';
import { Notifier } from '../protocol/notifier.ts';
import { failed, type SessionConfig } from '../serving/messages.ts';
import { CrashHistory } from './crash-history.ts';
import { FdStoreLink, takeFromFdStore } from './fd-store-client.ts';
import { Orphan } from './orphan.ts';
import { pidNamespace, startTimeOf } from './processes.ts';
import { type ReplacedProcess, type ServingEnd, ServingProcess } from './serving-process.ts';
import { poolReplaced, requireSamePool, servedPool, type ServedPool } from './served-pool.ts';
import { SessionLock, SupervisorLock } from './session-lock.ts';
import { RECORD_VERSION, removeRecord, type SessionRecord, writeRecord } from './session-record.ts';
import { recordToResume, type SupervisorMessage } from './supervisor-message.ts';

/** The death of a child that has lived for so long does not count with those before. */
const STABLE_MS = 10_000;
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 2000;

/** What holds for a session as long as it is mounted. */
type Established = ServedPool & Pick<SessionRecord, 'agreement' | 'mount' | 'problems' | 'problemCount'>;

class Supervisor {
  readonly #config: SessionConfig;
  readonly #fd: number;
  readonly #lock: SessionLock;
  readonly #startTime = startTimeOf(process.pid)!;
  #child: ServingProcess;
  /** One that has replayed, or does so, and will take the place of the present one when that ends. */
  #successor: ServingProcess | undefined;
  readonly #crashes: CrashHistory;
  /** Fulfilled when a child serves; pending while one is being replaced. */
  #serving: Promise<unknown> = Promise.resolve();
  /** The mount, as the kernel numbers it, once there is one of ours. */
  #mount: string | undefined;
  #established: Established | undefined;
  #fdStoreLink: FdStoreLink | undefined;
  /** How long to wait before the next child is started: longer when they die of themselves soon. */
  #pauseMs = 0;

  constructor(config: SessionConfig, fd: number, lock: SessionLock, crashes: CrashHistory) {
    this.#config = config;
    this.#fd = fd;
    this.#lock = lock;
    this.#crashes = crashes;
    this.#child = this.#spawn(); // it has nothing to read before the mount
  }

  /** Mounts, and serves until the file system is unmounted. Throws when it cannot any longer. */
  async run(): Promise<void> {
    this.#lock.take();
    new SupervisorLock(this.#config.hostDirectory, this.#config.id).take();
    const prepared = await this.#child.prepared;
    const established = this.#established = { ...prepared, ...await this.#mountPool(prepared.poolUuid) };
    const { agreement, problems } = established;
    writeRecord(this.#record(this.#child, established));
    await (this.#serving = this.#child.serve({ type: 'serve', agreement, first: true, doubts: this.#crashes.findings }));
    for (const text of [...limitations(agreement).map((lack) => `on this kernel, ${lack}`), ...problems]) this.#log(text);
    await this.#serve(established);
  }

  /** Goes on with a session whose supervisor has died. */
  async resume(record: SessionRecord): Promise<void> {
    const { directory, mount, patienceMs } = record;
    if (famfsMountAt(directory)?.deviceNumber !== mount) throw new FamfsError('NOT_FOUND', `${directory}: the session is not mounted there any more`);
    const orphan = new Orphan(record, this.#lock);
    await orphan.takeLocks(patienceMs);
    const following = this.#serving = this.#replace([orphan], record, 'its supervisor has died', this.#child);
    const next = await following;
    if (next === undefined) return;
    this.#child = next;
    await this.#serve(record);
  }

  /** Returns when the file system was unmounted; replaces each child that dies until then. */
  async #serve(established: Established): Promise<void> {
    const { directory, holder, id } = this.#config;
    if (holder !== undefined && established.agreement.resend) this.#fdStoreLink = new FdStoreLink(holder, id, this.#fd);
    await sendToStarter({ type: 'serving', record: this.#record(this.#child, established) });
    for (;;) {
      const began = performance.now();
      const end = await this.#child.ended;
      const { failure, ofItself } = end;
      if (end.replaced) throw poolReplaced(this.#config, established);
      if (failure === undefined) return;
      if (!established.agreement.resend) throw new FamfsError('DEVICE', `${directory}: ${failure}; the session is over`);
      this.#recordCrash(this.#child, end);
      if (ofItself && performance.now() - began < STABLE_MS) this.#lengthenPause();
      else this.#pauseMs = 0;
      this.#log(`${failure}; another one goes on`);
      const replacing = this.#serving = this.#replace([this.#child], established, failure);
      const next = await replacing;
      if (next === undefined) return;
      this.#child = next;
    }
  }

  /** Whether this supervisor serves the session. If not, another one may do so. */
  get hasSession(): boolean {
    return this.#established !== undefined;
  }

  /** Unmounts; a mount in use stays, and goes on being served. */
  async stop(): Promise<void> {
    if (this.#mount === undefined) return this.#child.kill();
    try {
      await unmountFuse(this.#config.directory);
    } catch (error) {
      if (error instanceof FamfsError && error.code === 'NOT_FOUND') return; // out of sight, still in use
      this.#log(`not stopped: ${messageOf(error)}`);
    }
  }

  /** Replaces a healthy child, by one of a newer program for instance; the old one serves until the new one is ready. */
  async upgrade(): Promise<void> {
    if (!this.#established?.agreement.resend || this.#successor !== undefined) return;
    let successor: ServingProcess | undefined;
    try {
      successor = this.#successor = this.#spawn();
      await successor.prepared;
      await this.#serving;
      if (this.#successor === successor) this.#child.kill(); // or it has followed one that died meanwhile
    } catch (error) {
      this.#log(`the serving process stays as it is: ${messageOf(error)}`);
      successor?.kill();
      if (this.#successor === successor) this.#successor = undefined;
    }
  }

  /** Ends the children and, where it is there still, takes the mount away from its users. Forcing is not allowed in every user namespace. */
  async abandon(): Promise<void> {
    this.#child.kill();
    this.discard();
    const { directory } = this.#config;
    if (this.#mount === undefined || famfsMountAt(directory)?.deviceNumber !== this.#mount) return;
    await unmountFuse(directory, { lazy: true, force: true }).catch(() => unmountFuse(directory, { lazy: true })).catch(() => {});
  }

  /** Ends what would outlive the session: a child that was to follow, and the link to the fd store. */
  discard(): void {
    this.#fdStoreLink?.stop();
    this.#successor?.kill();
  }

  #spawn(): ServingProcess {
    return new ServingProcess(this.#config, this.#fd, this.#lock.fd);
  }

  async #mountPool(poolUuid: string): Promise<Pick<Established, 'agreement' | 'mount'>> {
    const { directory, readOnly } = this.#config;
    raisePagesLimit();
    await mountFuse(this.#fd, directory, poolUuid, readOnly);
    const mount = this.#mount = famfsMountAt(directory)?.deviceNumber ?? '';
    const call = new Call(MAX_WRITE);
    const length = receive(this.#fd, call.request);
    if (length === undefined) throw new FamfsError('DEVICE', `${directory} was unmounted at once`);
    call.begin(length);
    const agreement = answerInit(call);
    call.finish(0);
    send(this.#fd, call);
    raiseReadAhead(directory);
    return { agreement, mount };
  }

  /**
   * Lets another child go on where one has died: the kernel gives it again what the dead one had
   * taken and not answered. Answers none when the file system was unmounted meanwhile. Throws when
   * for a long time there was no child that could.
   */
  async #replace(dead: readonly ReplacedProcess[], established: Established, failure: string, first?: ServingProcess): Promise<ServingProcess | undefined> {
    const [{ directory, patienceMs }, began] = [this.#config, performance.now()];
    const leftMs = () => patienceMs - (performance.now() - began);
    const allDead = [...dead];
    let reason = failure;
    let ready = first;
    do {
      if (this.#pauseMs > 0) await sleep(this.#pauseMs);
      let next: ServingProcess | undefined;
      try {
        next = ready ?? this.#successor ?? this.#spawn();
        ready = this.#successor = undefined;
        await withTimeout(this.#putIntoService(next, allDead, established), leftMs(), neverReady);
        return next;
      } catch (error) {
        next?.kill();
        if (error instanceof FamfsError && error.code === 'REPLACED') throw error;
        const end = next === undefined ? {} : await withTimeout(next.ended, LAST_PAUSE_MS, (): ServingEnd => ({ failure: 'it does not end' }));
        if (!new Notifier(this.#fd, established.agreement.epoch).isMounted()) return undefined;
        if (next !== undefined) {
          this.#recordCrash(next, end);
          allDead.push(next);
        }
        const now = leftMs() > 0 ? messageOf(error) : reason; // an attempt that was cut short says nothing
        if (now !== reason) this.#log(`no serving process: ${now}`);
        reason = now;
        this.#lengthenPause();
      }
    } while (leftMs() > 0);
    throw new FamfsError('DEVICE', `${directory}: ${reason}; for ${patienceMs / 1000} s no other could serve, the session is over`);
  }

  /** Resolves when a child serves where others did: steps 2 to 5 of serving-process.ts. */
  async #putIntoService(next: ServingProcess, before: readonly ReplacedProcess[], established: Established): Promise<void> {
    const { agreement } = established;
    const found = await next.prepared;
    [this.#established, this.#mount] = [established, established.mount]; // from here on nobody else serves it
    for (const each of before) each.kill(); // one may serve still
    await Promise.all(before.map((each) => each.workersGone()));
    requireSamePool(this.#config, established, found);
    try {
      writeRecord(this.#record(next, established)); // before it serves: should this process die, others know by it that the child is there
    } catch (error) {
      this.#log(`the session's record names a serving process that is gone: ${messageOf(error)}`);
    }
    new Notifier(this.#fd, agreement.epoch).resend(); // nobody reads yet, so nobody has two of one request
    await next.serve({ type: 'serve', agreement, first: false, doubts: this.#crashes.findings });
  }

  /** A child that has died in a request may have died of it. */
  #recordCrash(child: ServingProcess, { inRequest }: ServingEnd): void {
    if (!inRequest || !child.began) return;
    const file = countersFile(this.#config.hostDirectory, this.#config.id);
    const requests = fs.existsSync(file) ? Counters.copyOf(fs.readFileSync(file)).current() : [];
    for (const { opcode, node, offset, length } of this.#crashes.add(requests)) {
      this.#log(`request ${opcode} of node ${node}, ${length} bytes at ${offset}, was the end of two serving processes: it is answered EIO from now on`);
    }
  }

  #lengthenPause(): void {
    this.#pauseMs = Math.min(Math.max(2 * this.#pauseMs, FIRST_PAUSE_MS), LAST_PAUSE_MS);
  }

  #record({ pid, startTime }: ServingProcess, established: Established): SessionRecord {
    const { problems, problemCount = problems.length, mount, agreement } = established;
    return {
      ...this.#config, ...servedPool(established), version: RECORD_VERSION, mount, agreement, problems, problemCount, limitations: limitations(agreement),
      bad: this.#crashes.bad, pid: process.pid, startTime: this.#startTime, pidNamespace: pidNamespace(), child: { pid, startTime },
    };
  }

  #log(text: string): void {
    console.error(`famfs: ${this.#config.directory}: ${text}`);
  }
}

/** To the process that started this one and waits for the session, if still there. */
async function sendToStarter(message: SupervisorMessage): Promise<void> {
  if (process.connected) await new Promise<void>((resolve) => void process.send!(message, undefined, undefined, () => resolve()));
}

/** A supervisor of a new session, or, with its record, of one whose supervisor has died. */
async function prepare(config: SessionConfig, record: SessionRecord | undefined): Promise<Supervisor> {
  const fd = record === undefined ? openFuse() : await takeFromFdStore(config.holder!, config.id);
  return new Supervisor(config, fd, new SessionLock(config.hostDirectory, config.id), new CrashHistory(record?.bad));
}

function neverReady(): never {
  throw new Error('the serving process does not get ready');
}

async function main(config: SessionConfig, argument: string | undefined): Promise<number> {
  let supervisor: Supervisor | undefined;
  try {
    const record = recordToResume(config, argument);
    const running = supervisor = await prepare(config, record);
    const report = (error: unknown) => console.error(`famfs: ${config.directory}: ${messageOf(error)}`);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => { running.stop().catch(report); });
    process.on('SIGHUP', () => {}); // the terminal went, the mount stays
    process.on('SIGUSR2', () => { running.upgrade().catch(report); });
    await (record === undefined ? running.run() : running.resume(record));
    running.discard();
    removeRecord(config.hostDirectory, config.id);
    return 0;
  } catch (error) {
    const failure = failed(error, 'DEVICE');
    console.error(`famfs: ${failure.message}`);
    await supervisor?.abandon();
    if (argument === undefined || supervisor?.hasSession) removeRecord(config.hostDirectory, config.id);
    await sendToStarter(failure);
    return 1;
  }
}

process.exit(await main(JSON.parse(process.argv[2]) as SessionConfig, process.argv[3]));
