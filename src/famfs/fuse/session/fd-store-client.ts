import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { FamfsError } from '../../errors.ts';
import { isFuseDevice } from '../mount/fuse-device.ts';
import { type FdMessage, FdSocket } from './fd-socket.ts';
import type { FdStoreAnswer, FdStoreRequest } from './fd-store.ts';

/** A store answers at once, unless its process is busy with something else. */
const ANSWER_MS = 5000;
/** How often to look for a new store. */
const LOOK_MS = 200;

/**
 * Takes /dev/fuse of a session whose processes have ended; the caller closes it. Throws FamfsError
 * NOT_FOUND where this host has no fd store, or the store does not have that session; DEVICE where the
 * store does not answer now: a new one may come.
 */
export async function takeFromFdStore(socket: string, session: string): Promise<number> {
  const { value, fd } = await ask(socket, { ask: 'take', session });
  if (fd === undefined) throw new FamfsError('NOT_FOUND', `${socket} has no session ${session}`);
  if ((value as FdStoreAnswer).have.includes(session) && isFuseDevice(fd)) return fd;
  fs.closeSync(fd);
  throw new FamfsError('DEVICE', `what ${socket} has of session ${session} is not /dev/fuse`);
}

/**
 * Before the processes of these sessions end: waits until one fd store has all of them and says that it
 * stays. Answers the sessions for which that did not succeed in this time; at once where the host has
 * no store.
 */
export async function handOverToFdStore(socket: string, sessions: readonly string[], withinMs: number): Promise<readonly string[]> {
  const deadline = performance.now() + withinMs;
  let left = sessions;
  while (left.length > 0 && fs.existsSync(socket) && performance.now() < deadline) {
    try {
      // The same store must have them all.
      const { have } = (await ask(socket, { ask: 'stay', sessions })).value as FdStoreAnswer;
      left = sessions.filter((session) => !have.includes(session));
      if (left.length === 0) break;
    } catch (error) {
      if (!(error instanceof FamfsError)) throw error; // none answers now: it is being replaced, too
    }
    await sleep(LOOK_MS);
  }
  return left;
}

/** Nobody will go on with this session: a store that has it closes it. */
export async function dropFromFdStore(socket: string, session: string): Promise<void> {
  await ask(socket, { ask: 'drop', session }).catch((error: unknown) => {
    if (!(error instanceof FamfsError)) throw error; // there is no store
  });
}

/** For a supervisor: sends /dev/fuse of its session to the host's fd store, and to each new one that comes. */
export class FdStoreLink {
  readonly #socket: string;
  readonly #session: string;
  readonly #fd: number;
  /** Tells this supervisor from others of the same session. */
  readonly #self = randomUUID();
  readonly #timer: NodeJS.Timeout;
  /** The store that has the descriptor, by its socket file. */
  #sentTo = '';
  #isSending = false;

  constructor(socket: string, session: string, fd: number) {
    this.#socket = socket;
    this.#session = session;
    this.#fd = fd;
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
    this.#look();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** What went wrong, for want of a descriptor for instance, is tried again the next time. */
  #look(): void {
    this.#sendToNewStore().catch(() => undefined);
  }

  async #sendToNewStore(): Promise<void> {
    const store = this.#currentStore();
    if (this.#isSending || store === '' || store === this.#sentTo) return;
    this.#isSending = true;
    try {
      const { value } = await ask(this.#socket, { ask: 'hold', session: this.#session, supervisor: this.#self }, this.#fd);
      if ((value as FdStoreAnswer).have.includes(this.#session)) this.#sentTo = store;
    } finally {
      this.#isSending = false;
    }
  }

  /** Each store makes the socket file anew: another file is another store. Empty where there is none. */
  #currentStore(): string {
    const stat = fs.statSync(this.#socket, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? '' : `${stat.ino}.${stat.ctimeNs}`;
  }
}

async function ask(path: string, request: FdStoreRequest, fd?: number): Promise<FdMessage> {
  const socket = FdSocket.connect(path);
  try {
    socket.send(fd === undefined ? { value: request } : { value: request, fd });
    return await socket.receive(ANSWER_MS);
  } finally {
    socket.close();
  }
}
