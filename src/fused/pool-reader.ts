import { type ChildProcess, spawn } from 'node:child_process';
import { FamfsError } from '../famfs/errors.ts';
import { type Failed } from '../famfs/fuse/serving/messages.ts';
import type { ServedPool } from '../famfs/fuse/session/served-pool.ts';
import { LEAN } from '../famfs/fuse/session/serving-process.ts';
import type { Session } from '../famfs/fuse/session/session.ts';
import { moduleFile } from '../famfs/module-file.ts';
import { withTimeout } from '../famfs/with-timeout.ts';

/** Paths are relative to the pool's root, without a leading slash. */
export type PoolQuestion =
  /** A directory: its node id, and the life of the log that this is of. */
  | { readonly ask: 'directory'; readonly path: string }
  /** The files below a directory: how many, and their bytes. */
  | { readonly ask: 'files'; readonly path: string }
  /** Whether everybody may read all that is below a directory, by the modes that this host shows (see Overrides). */
  | { readonly ask: 'readable'; readonly path: string; readonly hostDirectory: string }
  /** The path of a node. */
  | { readonly ask: 'path'; readonly node: number };

/** What was asked for; empty where there is no such live directory, or no such node. */
export interface PoolAnswer {
  readonly node?: number;
  readonly logLife?: string;
  readonly bytes?: number;
  readonly files?: number;
  readonly path?: string;
  readonly isReadable?: boolean;
}

/** The pool that a session is of, and where it is. */
export interface ReadPool extends ServedPool {
  readonly device: string;
}

/** To the reading process. */
export interface PoolRequest {
  readonly id: number;
  readonly question: PoolQuestion;
}

/** From the reading process. */
type PoolReply = { readonly id: number } & ({ readonly answer: PoolAnswer } | { readonly failure: Failed });

/** How long an answer may take. The first one waits for the replay of the whole log. */
const ANSWER_MS = 10_000;

/** Reads the tree of a pool out of its log, in a process of its own: see pool-reader-process.ts. */
export class PoolReader {
  readonly #pool: ReadPool;
  #process: ChildProcess | undefined;
  readonly #waiting = new Map<number, PromiseWithResolvers<PoolAnswer>>();
  /** Questions that nobody waits for any more: as long as there are any, the process has enough to do. */
  readonly #late = new Set<number>();
  #last = 0;
  #isClosed = false;

  constructor({ device, poolUuid, logLife }: ReadPool) {
    this.#pool = { device, poolUuid, ...(logLife === undefined ? {} : { logLife }) };
  }

  /**
   * Asks the process, which is started where there is none. Throws FamfsError NOT_ANSWERING while it takes too
   * long, REPLACED where the device holds another pool now, and what Pool.open throws when the log cannot be read.
   */
  async ask(question: PoolQuestion): Promise<PoolAnswer> {
    if (this.#isClosed || this.#late.size > 0) throw this.#notAnswering();
    const id = ++this.#last;
    const waiting = Promise.withResolvers<PoolAnswer>();
    this.#waiting.set(id, waiting);
    const child = this.#process ??= this.#start();
    child.send({ id, question } satisfies PoolRequest, (error) => {
      if (error !== null) this.#take(id)?.reject(this.#notAnswering()); // it has ended just now
    });
    return withTimeout(waiting.promise, ANSWER_MS, () => {
      this.#waiting.delete(id);
      if (this.#process === child) this.#late.add(id);
      throw this.#notAnswering();
    });
  }

  /** Ends the process; no other one is started. */
  close(): void {
    this.#isClosed = true;
    this.#process?.kill('SIGKILL');
  }

  #start(): ChildProcess {
    const child = spawn(process.execPath, [...LEAN.flags, moduleFile(import.meta.url, 'pool-reader-process'), JSON.stringify(this.#pool)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env: { ...process.env, ...LEAN.env }, cwd: '/',
    });
    child.unref(); // it ends with this process
    child.channel?.unref();
    child.on('message', (reply: PoolReply) => {
      this.#late.delete(reply.id);
      const waiting = this.#take(reply.id);
      if ('answer' in reply) waiting?.resolve(reply.answer);
      else waiting?.reject(new FamfsError(reply.failure.code, reply.failure.message));
    });
    const ended = () => {
      if (this.#process !== child) return;
      this.#process = undefined;
      this.#late.clear();
      for (const id of [...this.#waiting.keys()]) this.#take(id)!.reject(this.#notAnswering());
    };
    child.once('exit', ended);
    child.once('error', ended);
    return child;
  }

  #take(id: number): PromiseWithResolvers<PoolAnswer> | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #notAnswering(): FamfsError {
    return new FamfsError('NOT_ANSWERING', `${this.#pool.device}: the log of the pool is not read yet: repeat the call`);
  }
}

/** The readers of the pools that are mounted, by session: made when first asked for, ended with the session. */
export class PoolReaders {
  readonly #readers = new Map<string, PoolReader>();

  /** `place` tells where the session's pool is. */
  of({ id, closed }: Session, place: () => ReadPool): PoolReader {
    const present = this.#readers.get(id);
    if (present !== undefined) return present;
    const reader = new PoolReader(place());
    this.#readers.set(id, reader);
    const end = () => {
      reader.close();
      this.#readers.delete(id);
    };
    closed.then(end, end);
    return reader;
  }

  close(): void {
    for (const reader of this.#readers.values()) reader.close();
  }
}
