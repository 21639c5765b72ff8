/**
 * Process: one for each session. It mounts, answers INIT, holds /dev/fuse and never serves, so that
 * nothing can make it wait; a serving child does the work. It knows nothing of devices and logs.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { FamfsError } from '../errors.ts';
import { Call } from './call.ts';
import { receive, send } from './channel.ts';
import { answerInit, limitations, MAX_WRITE, type Agreement } from './init.ts';
import type { ChildMessage, Serve, SessionConfig, SessionRecord, SupervisorMessage } from './messages.ts';
import { moduleFile } from './modules.ts';
import { mountFuse, unmountFuse } from './mount.ts';
import { isKilled, removeRecord, startTimeOf, writeRecord } from './session-record.ts';

/** How often to look whether the child was killed and cannot end. */
const LOOK_MS = 1000;

class Supervisor {
  readonly #config: SessionConfig;
  readonly #fd: number;
  #child: ChildProcess;
  #mounted = false;
  #over = false;
  #poolUuid = '';
  #problems: readonly string[] = [];
  #agreement: Agreement | undefined;

  constructor(config: SessionConfig) {
    this.#config = config;
    this.#fd = openFuse();
    this.#child = this.#spawn();
  }

  /** Unmounts; a mount in use stays, and goes on being served. */
  async stop(): Promise<void> {
    if (!this.#mounted) {
      this.#child.kill('SIGKILL');
      return;
    }
    try {
      await unmountFuse(this.#config.directory);
    } catch (error) {
      if (error instanceof FamfsError && error.code === 'NOT_FOUND') return; // out of sight, still in use
      console.error(`famfs: not stopped: ${(error as Error).message}`);
    }
  }

  /** The child inherits /dev/fuse as descriptor 3; it has nothing to read there before the mount. */
  #spawn(): ChildProcess {
    const child = spawn(process.execPath, [moduleFile('child'), JSON.stringify(this.#config)], {
      stdio: ['ignore', 'inherit', 'inherit', this.#fd, 'ipc'],
    });
    child.on('message', (message: ChildMessage) => {
      this.#heard(message).catch((error: unknown) => this.#giveUp(error));
    });
    child.once('error', (error) => void this.#giveUp(error));
    child.once('exit', (code, signal) => void this.#childExited(code, signal));
    return child;
  }

  async #heard(message: ChildMessage): Promise<void> {
    switch (message.type) {
      case 'failed':
        throw new FamfsError(message.code, message.message);
      case 'prepared':
        this.#poolUuid = message.poolUuid;
        this.#problems = message.problems;
        this.#agreement = await this.#mount();
        this.#child.send({ type: 'serve', agreement: this.#agreement } satisfies Serve);
        return;
      case 'serving':
        return this.#serving();
    }
  }

  async #mount(): Promise<Agreement> {
    const { directory, readOnly } = this.#config;
    await mountFuse(this.#fd, directory, this.#poolUuid, readOnly);
    this.#mounted = true;
    const call = new Call(MAX_WRITE);
    const length = receive(this.#fd, call.request);
    if (length === undefined) throw new FamfsError('DEVICE', `${directory} was unmounted at once`);
    call.begin(length);
    const agreement = answerInit(call);
    call.finish(0);
    send(this.#fd, call);
    return agreement;
  }

  #serving(): void {
    const limits = limitations(this.#agreement!);
    for (const limit of limits) console.error(`famfs: ${this.#config.directory}: on this kernel, ${limit}`);
    for (const problem of this.#problems) console.error(`famfs: ${this.#config.directory}: ${problem}`);
    const record: SessionRecord = {
      ...this.#config,
      poolUuid: this.#poolUuid,
      pid: process.pid,
      startTime: startTimeOf(process.pid)!,
      child: { pid: this.#child.pid!, startTime: startTimeOf(this.#child.pid!) ?? 0 },
      problems: this.#problems,
      limitations: limits,
    };
    writeRecord(record);
    setInterval(() => this.#look(), LOOK_MS);
    report({ type: 'serving', record });
  }

  /**
   * A child that is killed while its main thread waits, in a notification, until a dirty page has been
   * written, cannot end: no worker is left to answer that WRITE. Then the connection has to go first.
   */
  #look(): void {
    if (this.#over || !isKilled(this.#child.pid!)) return;
    void this.#giveUp(new FamfsError('DEVICE', `${this.#config.directory}: the serving process was ended by SIGKILL; the session is over`));
  }

  /**
   * The child ends by itself when the file system has been unmounted. Any other end ends the session:
   * what was in flight fails, and later calls get ENOTCONN.
   */
  async #childExited(code: number | null, signal: string | null): Promise<void> {
    // What it said before its end is heard first: it may have told the reason.
    if (this.#child.connected) await once(this.#child, 'disconnect');
    if (this.#over) return;
    if (code === 0) return this.#end(0);
    const how = signal === null ? `exited with ${code}` : `was ended by ${signal}`;
    await this.#giveUp(new FamfsError('DEVICE', `${this.#config.directory}: the serving process ${how}; the session is over`));
  }

  async #giveUp(error: unknown): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof FamfsError ? error.code : 'DEVICE';
    console.error(`famfs: ${message}`);
    this.#over = true;
    this.#child.removeAllListeners();
    this.#child.kill('SIGKILL');
    if (this.#mounted) await this.#abandon();
    report({ type: 'failed', code, message }, () => this.#end(1));
  }

  /** Takes the mount away from its users. Forcing is not allowed in every user namespace. */
  async #abandon(): Promise<void> {
    const { directory } = this.#config;
    await unmountFuse(directory, { lazy: true, force: true })
      .catch(() => unmountFuse(directory, { lazy: true }))
      .catch(() => {});
  }

  #end(code: number): void {
    removeRecord(this.#config.hostDirectory, process.pid);
    process.exit(code);
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
function report(message: SupervisorMessage, then: () => void = () => {}): void {
  if (process.connected) process.send!(message, undefined, undefined, then);
  else then();
}

try {
  const supervisor = new Supervisor(JSON.parse(process.argv[2]) as SessionConfig);
  process.on('SIGTERM', () => void supervisor.stop());
  process.on('SIGINT', () => void supervisor.stop());
  process.on('SIGHUP', () => {}); // the terminal went, the mount stays
} catch (error) {
  const code = error instanceof FamfsError ? error.code : 'DEVICE';
  report({ type: 'failed', code, message: (error as Error).message }, () => process.exit(1));
}
