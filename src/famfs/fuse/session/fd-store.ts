import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFuseDevice } from '../mount/fuse-device.ts';
import { Notifier } from '../protocol/notifier.ts';
import { FdListener, type FdMessage, FdSocket } from './fd-socket.ts';
import { isServed } from './session-lock.ts';

/** What is asked of a holder: each in a connection of its own, with one answer. */
export type HolderRequest =
  /** Brings /dev/fuse of a session, from that supervisor. */
  | { readonly ask: 'hold'; readonly session: string; readonly supervisor: string }
  /** Wants it back, to go on where all of a session's processes have ended. */
  | { readonly ask: 'take'; readonly session: string }
  /** Is about to end with the processes of these sessions: the holder is to stay until others go on. */
  | { readonly ask: 'stay'; readonly sessions: readonly string[] }
  /** Nobody will go on with this session: its users are to get errors now. */
  | { readonly ask: 'drop'; readonly session: string };

/** `have`: those of the sessions asked for that it holds, and goes on holding. */
export interface HolderAnswer {
  readonly have: readonly string[];
}

export interface HolderOptions {
  readonly hostDirectory: string;
  /** How long a session may be without a process before it is given up, and its users get errors. */
  readonly patienceMs?: number;
  readonly say: (text: string, session: string) => void;
}

interface Held {
  readonly fd: number;
  /** When it was first seen without a process. */
  orphanedAt?: number;
  readonly supervisor: string;
  /** Nothing was heard that casts doubt on its supervisor since that brought it. */
  isSupervised: boolean;
  /** That supervisor is about to end: what it still says is no reason to leave. */
  isDoomed: boolean;
}

/** Longer than the kubelet waits at most before it starts a container again. */
const PATIENCE_MS = 600_000;
/** How often to look for who connects, and for sessions that are over. */
const ACCEPT_MS = 20;
const SWEEP_MS = 1000;
/** How long who has connected may take to ask. */
const ASK_MS = 1000;

/** Where the holder of a host listens. */
export function holderSocket(hostDirectory: string): string {
  return path.join(hostDirectory, 'holder.sock');
}

/**
 * Keeps /dev/fuse of a host's sessions open in another process, and on Kubernetes in another pod, than
 * those that serve: a session is over when the last such descriptor is closed. Meanwhile requests
 * wait in the kernel, for whoever comes to take it.
 */
export class Holder {
  #listener: FdListener;
  readonly #options: Required<HolderOptions>;
  readonly #held = new Map<string, Held>();
  readonly #timers: NodeJS.Timeout[];
  #leaving = false;

  /** Listens at the host directory's socket. Throws FamfsError DEVICE. */
  constructor(options: HolderOptions) {
    this.#options = { patienceMs: PATIENCE_MS, ...options };
    fs.mkdirSync(options.hostDirectory, { recursive: true });
    this.#listener = new FdListener(holderSocket(options.hostDirectory));
    this.#timers = [setInterval(() => this.#accept(), ACCEPT_MS).unref(), setInterval(() => this.sweep(), SWEEP_MS).unref()];
  }

  /** The sessions whose /dev/fuse is held here. */
  get sessions(): readonly string[] {
    return [...this.#held.keys()];
  }

  /** Closes what is over: unmounted, or without a process for too long. */
  sweep(): void {
    const now = performance.now();
    if (!this.#leaving && this.#listener.isReplaced && !this.#hasSuccessor()) this.#listenAnew();
    for (const [session, held] of this.#held) {
      if (!new Notifier(held.fd, false).isMounted()) this.#close(session, held);
      else if (isServed(this.#options.hostDirectory, session)) delete held.orphanedAt;
      else {
        held.orphanedAt ??= now;
        if (now - held.orphanedAt < this.#options.patienceMs) continue;
        this.#options.say(`nobody serves it for ${this.#options.patienceMs / 1000} s: it is given up`, session);
        this.#close(session, held);
      }
    }
  }

  /**
   * Ends, once no session depends on this process, or after so long all the same. To know that, it has
   * all of them brought again, as to a new holder: a process that was killed can look alive for long.
   */
  async leave(withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    for (const held of this.#held.values()) held.isSupervised = false;
    const isReplaced = this.#listener.isReplaced && this.#hasSuccessor(); // which is given all of them anyway
    if (this.#held.size > 0 && !isReplaced) this.#listenAnew();
    while (!isReplaced) {
      this.sweep();
      const [needed] = [...this.#held].find(([, { isSupervised }]) => !isSupervised) ?? [];
      if (needed === undefined) break;
      if (performance.now() > deadline) {
        this.#options.say('left without a process', needed);
        break;
      }
      await sleep(ACCEPT_MS);
    }
    this.close(); // nobody was promised anything since the last look
  }

  /** Whether another holder answers at the socket. */
  #hasSuccessor(): boolean {
    try {
      FdSocket.connect(holderSocket(this.#options.hostDirectory)).close();
      return true;
    } catch {
      return false;
    }
  }

  #listenAnew(): void {
    this.#listener.close();
    this.#listener = new FdListener(holderSocket(this.#options.hostDirectory));
  }

  /** Ends at once. */
  close(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#listener.close();
    for (const [session, held] of this.#held) this.#close(session, held);
  }

  #accept(): void {
    for (let socket = this.#listener.accept(); socket !== undefined; socket = this.#listener.accept()) {
      void this.#serve(socket);
    }
  }

  async #serve(socket: FdSocket): Promise<void> {
    try {
      const message = await socket.receive(ASK_MS);
      try {
        if (!this.#leaving) socket.send(this.#answer(message));
      } finally {
        if (message.fd !== undefined && ![...this.#held.values()].some(({ fd }) => fd === message.fd)) fs.closeSync(message.fd);
      }
    } catch (error) {
      this.#options.say(`not understood: ${(error as Error).message}`, '');
    } finally {
      socket.close();
    }
  }

  #answer({ value, fd }: FdMessage): FdMessage {
    const request = (value ?? {}) as HolderRequest;
    if (request.ask === 'hold' && fd !== undefined && isMounted(fd)) {
      this.#hold(String(request.session), String(request.supervisor), fd);
      return reply([request.session]);
    }
    if (request.ask === 'take') {
      const held = this.#held.get(request.session);
      return held === undefined ? reply([]) : { ...reply([request.session]), fd: held.fd };
    }
    if (request.ask === 'stay' && Array.isArray(request.sessions)) {
      const have = request.sessions.filter((session) => this.#held.has(session));
      for (const session of have) Object.assign(this.#held.get(session)!, { isSupervised: false, isDoomed: true });
      return reply(have);
    }
    if (request.ask === 'drop') {
      const held = this.#held.get(request.session);
      if (held !== undefined) this.#close(request.session, held);
      return reply([]);
    }
    throw new Error(`request ${JSON.stringify(value)}`);
  }

  /** A session that is brought again has a living supervisor, and depends on this process no longer. */
  #hold(session: string, supervisor: string, fd: number): void {
    const before = this.#held.get(session);
    const isDoomed = before?.isDoomed === true && before.supervisor === supervisor;
    this.#held.set(session, { fd, supervisor, isDoomed, isSupervised: !isDoomed });
    if (before === undefined) this.#options.say('held', session);
    else fs.closeSync(before.fd);
  }

  #close(session: string, { fd }: Held): void {
    this.#held.delete(session);
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

function reply(have: readonly string[]): { readonly value: HolderAnswer } {
  return { value: { have } };
}
