import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { FamfsError } from '../../errors.ts';
import { isFuseDevice } from '../mount/fuse-device.ts';
import { type FdMessage, FdSocket } from './fd-socket.ts';
import type { HolderAnswer, HolderRequest } from './fd-store.ts';

/** A holder answers at once, unless its process is busy with something else. */
const ANSWER_MS = 5000;
/** How often to look for a new holder. */
const LOOK_MS = 200;

/**
 * Takes /dev/fuse of a session whose processes have ended: the caller's to close. Throws FamfsError
 * NOT_FOUND where this host has no holder, or it does not have that session; DEVICE where there should
 * be one: it may come.
 */
export async function takeFromHolder(socket: string, session: string): Promise<number> {
  const { value, fd } = await ask(socket, { ask: 'take', session });
  if (fd === undefined) throw new FamfsError('NOT_FOUND', `${socket} has no session ${session}`);
  if ((value as HolderAnswer).have.includes(session) && isFuseDevice(fd)) return fd;
  fs.closeSync(fd);
  throw new FamfsError('DEVICE', `what ${socket} has of session ${session} is not /dev/fuse`);
}

/**
 * Before the processes of these sessions end: waits until a holder has all of them and says that it
 * stays. Answers those it could not be had for within that time; at once where no host has a holder.
 */
export async function leaveToHolder(socket: string, sessions: readonly string[], withinMs: number): Promise<readonly string[]> {
  const deadline = performance.now() + withinMs;
  let left = sessions;
  while (left.length > 0 && fs.existsSync(socket) && performance.now() < deadline) {
    try {
      const { have } = (await ask(socket, { ask: 'stay', sessions })).value as HolderAnswer; // one holder must have them all
      left = sessions.filter((session) => !have.includes(session));
      if (left.length === 0) break;
    } catch (error) {
      if (!(error instanceof FamfsError)) throw error; // none now: it is being replaced, too
    }
    await sleep(LOOK_MS);
  }
  return left;
}

/** Nobody will go on with this session: a holder that has it closes it. */
export async function dropFromHolder(socket: string, session: string): Promise<void> {
  await ask(socket, { ask: 'drop', session }).catch((error: unknown) => {
    if (!(error instanceof FamfsError)) throw error; // there is none
  });
}

/** For a supervisor: gives /dev/fuse to the host's holder, and to each new one that comes. */
export class HolderLink {
  readonly #socket: string;
  readonly #session: string;
  readonly #fd: number;
  /** Other supervisors of the session call themselves otherwise. */
  readonly #self = randomUUID();
  readonly #timer: NodeJS.Timeout;
  /** The holder that has it, by its socket file. */
  #given = '';
  #giving = false;

  constructor(socket: string, session: string, fd: number) {
    this.#socket = socket;
    this.#session = session;
    this.#fd = fd;
    this.#timer = setInterval(() => void this.#look(), LOOK_MS).unref();
    void this.#look();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    const holder = this.#holder();
    if (this.#giving || holder === '' || holder === this.#given) return;
    this.#giving = true;
    try {
      const { value } = await ask(this.#socket, { ask: 'hold', session: this.#session, supervisor: this.#self }, this.#fd);
      if ((value as HolderAnswer).have.includes(this.#session)) this.#given = holder;
    } catch (error) {
      if (!(error instanceof FamfsError)) throw error; // it is gone, or ends just now: another one comes
    } finally {
      this.#giving = false;
    }
  }

  /** Each holder makes the socket file anew. */
  #holder(): string {
    const stat = fs.statSync(this.#socket, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? '' : `${stat.ino}.${stat.ctimeNs}`;
  }
}

async function ask(path: string, request: HolderRequest, fd?: number): Promise<FdMessage> {
  const socket = FdSocket.connect(path);
  try {
    socket.send(fd === undefined ? { value: request } : { value: request, fd });
    return await socket.receive(ANSWER_MS);
  } finally {
    socket.close();
  }
}
