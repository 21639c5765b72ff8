/**
 * The serving child of a session, as its supervisor sees it. When it dies, another one takes its place:
 *   1. The kernel keeps the requests that the dead child had taken and not answered.
 *   2. A new child replays the log. It serves nothing yet.
 *   3. The supervisor waits until no worker of the dead child is left: a late store of one could hit
 *      memory that was given to another file meanwhile.
 *   4. It has the kernel resend what was not answered (FUSE_NOTIFY_RESEND). Nobody reads /dev/fuse at
 *      that moment, so no request is there twice.
 *   5. The new child serves, and notifies the kernel of whatever may have changed meanwhile.
 * So a request may be served twice. That is sound: a child keeps nothing between requests, and one that
 * was not answered may take effect at any time until it is.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { FamfsError, messageOf } from '../../errors.ts';
import { moduleFile } from '../../module-file.ts';
import { MistakeSignal } from '../serving/die.ts';
import { type ChildMessage, fewProblems, type Serve, type SessionConfig, type ToldProblems } from '../serving/messages.ts';
import { isKilled, startTimeOf, taskCount } from './processes.ts';
import { servedPool, type ServedPool } from './served-pool.ts';

/** How a serving process ended: after an unmount, or otherwise, with the reason. */
export interface ServingEnd {
  readonly failure?: string;
  /** Nobody else has killed it. */
  readonly ofItself?: boolean;
  /** It may have died of what it did for a request. */
  readonly inRequest?: boolean;
  /** It found another pool in memory than the one that it served. */
  readonly replaced?: boolean;
}

/** Signals of a death in a request: what access to memory brings, and our own after a mistake. */
const IN_REQUEST: readonly string[] = [MistakeSignal.inRequest, 'SIGBUS', 'SIGSEGV', 'SIGILL', 'SIGFPE'];

/** What a serving process found when it had replayed the log. */
export interface Prepared extends ServedPool, Required<ToldProblems> {
}

/**
 * What a process that reads a log can do without: each of its threads would keep up to 16 MiB for objects that live for one request,
 * in MiB here, and a malloc arena of its own, of which little is in use once the log has been replayed.
 */
export const LEAN = { flags: ['--max-semi-space-size=1'], env: { MALLOC_ARENA_MAX: '1' } } as const;

/** How often to look whether a process that cannot end has been killed. */
const LOOK_MS = 200;
const POLL_MS = 5;

/** Who serves a session, or did, and is to be replaced by another process. */
export interface ReplacedProcess {
  kill(): void;
  /**
   * Resolves when no worker of it is left, so that nothing of it can touch the pool's memory any more.
   * Its main thread never does, and may live on: it may wait in a notification until the process that
   * replaces it has answered a WRITE.
   */
  workersGone(): Promise<void>;
}

/** One serving child, as its supervisor sees it. */
export class ServingProcess implements ReplacedProcess {
  readonly pid: number;
  readonly startTime: number;
  /** The log has been replayed. Rejects with the reason why it could not be. */
  readonly prepared: Promise<Prepared>;
  /** Resolves when it has ended, or has been killed and cannot end. */
  readonly ended: Promise<ServingEnd>;
  /** It has begun to serve: the counters file tells what this one has under way, not the one before. */
  began = false;
  #replaced = false;
  readonly #process: ChildProcess;
  readonly #serving: Promise<void>;

  /** Starts one on an open /dev/fuse, which it inherits as descriptor 3, and the session's lock. */
  constructor(config: SessionConfig, fd: number, lock: number) {
    const child = this.#process = spawn(process.execPath, [...LEAN.flags, moduleFile(import.meta.url, '../serving/child'), JSON.stringify(config)], {
      stdio: ['ignore', 'inherit', 'inherit', fd, 'ipc', lock], env: { ...process.env, ...LEAN.env },
    });
    this.pid = child.pid ?? 0;
    const prepared = Promise.withResolvers<Prepared>();
    const serving = Promise.withResolvers<void>();
    this.prepared = prepared.promise;
    this.#serving = serving.promise;
    this.ended = this.#untilEnded();
    try {
      this.startTime = startTimeOf(this.pid) ?? 0;
    } catch (error) {
      child.kill('SIGKILL'); // nobody could tell it from others
      throw error;
    }
    child.on('message', (message: ChildMessage) => {
      if (message.type === 'prepared') prepared.resolve({ ...servedPool(message), ...fewProblems(message) });
      else if (message.type === 'began') this.began = true;
      else if (message.type === 'serving') serving.resolve();
      else if (message.type === 'replaced') this.#endReplaced();
      else {
        const error = new FamfsError(message.code, message.message);
        prepared.reject(error);
        serving.reject(error);
      }
    });
    this.ended.then(({ failure }) => {
      const error = new FamfsError('DEVICE', failure ?? `${config.directory} was unmounted`);
      prepared.reject(error);
      serving.reject(error);
    }, prepared.reject);
    for (const promise of [prepared.promise, serving.promise]) promise.catch(() => {}); // not everybody waits for each
  }

  /** Lets it serve; resolves when all its workers wait for requests. Rejects when it cannot, or has ended. */
  serve(order: Serve): Promise<void> {
    if (this.#process.connected) this.#process.send(order, () => {}); // a failure means that it has ended: `ended` tells
    return this.#serving;
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #endReplaced(): void {
    this.#replaced = true;
    this.kill();
  }

  async workersGone(): Promise<void> {
    while (this.#process.exitCode === null && this.#process.signalCode === null && taskCount(this.pid) > 1) await sleep(POLL_MS);
  }

  async #untilEnded(): Promise<ServingEnd> {
    const child = this.#process;
    const killed = Promise.withResolvers<ServingEnd>();
    let looks = 0;
    const look = setInterval(() => {
      try {
        if (isKilled(this.pid) && ++looks > 1) killed.resolve({ failure: 'the serving process was ended by SIGKILL' }); // it had time to end
      } catch {
        // It cannot be told now: it may be the next time.
      }
    }, LOOK_MS);
    try {
      return { ...await Promise.race([endOf(child), killed.promise]), replaced: this.#replaced };
    } finally {
      clearInterval(look);
    }
  }
}

async function endOf(child: ChildProcess): Promise<ServingEnd> {
  try {
    const [code, signal] = await once(child, 'exit') as [number | null, string | null];
    // Messages that it has sent before its end come first: one may name the reason.
    if (child.connected) await once(child, 'disconnect');
    if (code === 0) return {};
    if (signal === null) return { failure: `the serving process exited with ${code}`, ofItself: true };
    return { failure: `the serving process was ended by ${signal}`, ofItself: signal !== 'SIGKILL', inRequest: IN_REQUEST.includes(signal) };
  } catch (error) {
    return { failure: `the serving process cannot be started: ${messageOf(error)}` };
  }
}
