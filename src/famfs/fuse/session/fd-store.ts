/**
 * The fd store of a host keeps /dev/fuse of every session open, in another process than those that
 * serve, and on Kubernetes in another pod (the node plugin's). The kernel ends a session when the last
 * such descriptor is closed. So as long as the store has one, the mount outlives all processes of its
 * session: requests wait in the kernel until a new supervisor takes the descriptor and goes on.
 *
 * A roll-out of the data plane, step by step:
 *   1. While it serves, each supervisor sends its descriptor to the store (`hold`).
 *   2. The data plane is asked to end. It asks the store to stay (`stay`), and waits for the answer that
 *      the store has all sessions in use.
 *   3. The data plane's processes end. Requests to the mounts wait in the kernel.
 *   4. The next data plane finds the mounts, and starts a supervisor for each. That one takes the
 *      descriptor (`take`), has a child replay the log, lets the kernel resend what was not answered,
 *      and sends its descriptor to the store (`hold`), as in step 1.
 *
 * A roll-out of the node plugin ends the store itself. It makes its socket file anew, by which every
 * living supervisor sends its descriptor again. A session that is sent has a living supervisor and does
 * not need this process; the store waits for the others before it ends (`leave`).
 *
 * The socket's name and what is said over it were fixed when this process was called the holder. Two
 * versions of the program meet at it during an upgrade, so they stay.
 */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../errors.ts';
import { openHostDirectory } from '../../private-folder.ts';
import { isFuseDevice } from '../mount/fuse-device.ts';
import { Notifier } from '../protocol/notifier.ts';
import { FdListener, type FdMessage, FdSocket } from './fd-socket.ts';
import { isServed } from './session-lock.ts';

/** A request to a store: one for each connection, with one answer. */
export type FdStoreRequest =
  /** From a supervisor, with /dev/fuse of its session. `supervisor` is unique for each of them. */
  | { readonly ask: 'hold'; readonly session: string; readonly supervisor: string }
  /** From a new supervisor: it goes on where all processes of the session have ended. */
  | { readonly ask: 'take'; readonly session: string }
  /** From a data plane whose processes are about to end: the store must stay until others go on with these sessions. */
  | { readonly ask: 'stay'; readonly sessions: readonly string[] }
  /** Nobody will go on with this session: the store closes it, and its users get errors instead of waiting. */
  | { readonly ask: 'drop'; readonly session: string };

/** `have`: those of the sessions asked for that the store has, and keeps. */
export interface FdStoreAnswer {
  readonly have: readonly string[];
}

export interface FdStoreOptions {
  readonly hostDirectory: string;
  /** How long a session may be without a process; then it is given up, and its users get errors. */
  readonly gracePeriodMs?: number;
  /** Told what happens to sessions, in words. */
  readonly onEvent: (text: string, session: string) => void;
}

interface StoredSession {
  readonly fd: number;
  /** When it was first seen without a process. */
  orphanedAt?: number;
  /** Who sent the descriptor. */
  readonly supervisor: string;
  /** It was sent by a supervisor that lives and stays, since the store last had a reason to doubt that. */
  isSupervised: boolean;
  /** That supervisor is about to end: that it sends its descriptor again is no reason for the store to leave. */
  isSupervisorEnding: boolean;
}

/** Longer than the kubelet waits at most before it starts a container again. */
const GRACE_PERIOD_MS = 600_000;
/** How often to look for connections, and for sessions that are over. */
const ACCEPT_MS = 20;
const SWEEP_MS = 1000;
/** How long a client that has connected may take to send its request. */
const REQUEST_MS = 1000;

/** Where the store of a host listens. */
export function fdStoreSocket(hostDirectory: string): string {
  return path.join(hostDirectory, 'holder.sock');
}

/** See above. One process of a host has it; when two do, the one whose socket file is newer. */
export class FdStore {
  #listener: FdListener;
  readonly #options: Required<FdStoreOptions>;
  readonly #stored = new Map<string, StoredSession>();
  readonly #timers: NodeJS.Timeout[];
  #isClosed = false;
  #problem = '';

  /** Listens at the host directory's socket. Throws FamfsError DEVICE. */
  constructor(options: FdStoreOptions) {
    this.#options = { gracePeriodMs: GRACE_PERIOD_MS, ...options };
    openHostDirectory(options.hostDirectory);
    this.#listener = new FdListener(fdStoreSocket(options.hostDirectory));
    this.#timers = [setInterval(() => this.#accept(), ACCEPT_MS).unref(), setInterval(() => this.#attempt(() => this.sweep()), SWEEP_MS).unref()];
  }

  /** The sessions whose /dev/fuse is open here. */
  get sessions(): readonly string[] {
    return [...this.#stored.keys()];
  }

  /** Closes sessions that are over: unmounted, or without a process for too long. */
  sweep(): void {
    const now = performance.now();
    if (!this.#isClosed && this.#listener.isReplaced && !this.#hasSuccessor()) this.#listenAnew();
    for (const [session, stored] of this.#stored) {
      if (!new Notifier(stored.fd, false).isMounted()) this.#close(session, stored);
      else if (isServed(this.#options.hostDirectory, session)) delete stored.orphanedAt;
      else {
        stored.orphanedAt ??= now;
        if (now - stored.orphanedAt < this.#options.gracePeriodMs) continue;
        this.#options.onEvent(`nobody serves it for ${this.#options.gracePeriodMs / 1000} s: it is given up`, session);
        this.#close(session, stored);
      }
    }
  }

  /**
   * Closes the store once no session depends on it, or after this time all the same. To know that, it
   * has every supervisor send its descriptor again, as to a new store. It does not look for their
   * processes instead: one that was killed can look alive for a long time.
   */
  async leave(withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    for (const stored of this.#stored.values()) stored.isSupervised = false;
    const isReplaced = this.#listener.isReplaced && this.#hasSuccessor(); // which gets all of them anyway
    let hasAsked = this.#stored.size === 0;
    while (!isReplaced) {
      hasAsked ||= this.#attempt(() => this.#listenAnew());
      this.#attempt(() => this.sweep());
      const [needed] = [...this.#stored].find(([, { isSupervised }]) => !isSupervised) ?? [];
      if (needed === undefined) break;
      if (performance.now() > deadline) {
        this.#options.onEvent('left without a process', needed);
        break;
      }
      await sleep(ACCEPT_MS);
    }
    this.close(); // in the same turn of the event loop as the last look: nobody was promised anything since
  }

  /** Does what can be done later as well, should it be impossible now, as without a descriptor. Answers whether it was done. */
  #attempt(work: () => void): boolean {
    try {
      work();
      this.#problem = '';
      return true;
    } catch (error) {
      const problem = messageOf(error);
      if (problem !== this.#problem) this.#options.onEvent(`to be tried again: ${problem}`, '');
      this.#problem = problem;
      return false;
    }
  }

  /** Whether another store answers at the socket. */
  #hasSuccessor(): boolean {
    try {
      FdSocket.connect(fdStoreSocket(this.#options.hostDirectory)).close();
      return true;
    } catch {
      return false;
    }
  }

  /** Makes the socket file anew, by which supervisors know that there is a store which has nothing yet. */
  #listenAnew(): void {
    const before = this.#listener;
    this.#listener = new FdListener(fdStoreSocket(this.#options.hostDirectory));
    before.close();
  }

  /** Closes the store at once. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#listener.close();
    for (const [session, stored] of this.#stored) this.#close(session, stored);
  }

  #accept(): void {
    for (let socket = this.#listener.accept(); socket !== undefined; socket = this.#listener.accept()) {
      this.#serve(socket).catch((error: unknown) => this.#options.onEvent(`not understood: ${messageOf(error)}`, ''));
    }
  }

  async #serve(socket: FdSocket): Promise<void> {
    try {
      const message = await socket.receive(REQUEST_MS);
      try {
        if (!this.#isClosed) socket.send(this.#answer(message));
      } finally {
        if (message.fd !== undefined && ![...this.#stored.values()].some(({ fd }) => fd === message.fd)) fs.closeSync(message.fd);
      }
    } finally {
      socket.close();
    }
  }

  #answer({ value, fd }: FdMessage): FdMessage {
    const request = (value ?? {}) as FdStoreRequest;
    if (request.ask === 'hold' && fd !== undefined && isMounted(fd)) {
      this.#store(String(request.session), String(request.supervisor), fd);
      return answer([request.session]);
    }
    if (request.ask === 'take') {
      const stored = this.#stored.get(request.session);
      return stored === undefined ? answer([]) : { ...answer([request.session]), fd: stored.fd };
    }
    if (request.ask === 'stay' && Array.isArray(request.sessions)) {
      const have = request.sessions.filter((session) => this.#stored.has(session));
      for (const session of have) Object.assign(this.#stored.get(session)!, { isSupervised: false, isSupervisorEnding: true });
      return answer(have);
    }
    if (request.ask === 'drop') {
      const stored = this.#stored.get(request.session);
      if (stored !== undefined) this.#close(request.session, stored);
      return answer([]);
    }
    throw new Error(`request ${JSON.stringify(value)}`);
  }

  /** A session that is sent (again) has a living supervisor, and depends on this process no longer. */
  #store(session: string, supervisor: string, fd: number): void {
    const before = this.#stored.get(session);
    const isSupervisorEnding = before?.isSupervisorEnding === true && before.supervisor === supervisor;
    this.#stored.set(session, { fd, supervisor, isSupervisorEnding, isSupervised: !isSupervisorEnding });
    if (before === undefined) this.#options.onEvent('held', session);
    else fs.closeSync(before.fd);
  }

  #close(session: string, { fd }: StoredSession): void {
    this.#stored.delete(session);
    fs.closeSync(fd);
  }
}

/** Whether an open file is /dev/fuse of a mounted file system: what others send may be anything. */
function isMounted(fd: number): boolean {
  try {
    return isFuseDevice(fd) && new Notifier(fd, false).isMounted();
  } catch {
    return false; // never mounted: EPERM
  }
}

function answer(have: readonly string[]): { readonly value: FdStoreAnswer } {
  return { value: { have } };
}
