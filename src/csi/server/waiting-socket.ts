import fs from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { moduleFile } from '../../famfs/module-file.ts';
import type { CsiPart } from './serve.ts';
import type { WaitingSocketTask, WaitingSocketWish } from './waiting-socket-thread.ts';

/** How long a Probe waits for its answer to become a better one: less than the time that sidecars allow. */
const PROBE_MS = 20_000;

/** What the socket of sidecars is opened with. */
export interface WaitingSocketOptions {
  readonly socket: string;
  readonly driver: string;
  /** The driver's own CSI socket, to which calls are handed on: there while the driver may act. */
  readonly target: string;
  /** How long a Probe waits before it answers "not ready". */
  readonly probeMs?: number;
}

/**
 * A CSI socket for sidecars of a driver that may have to wait for its turn. It is served by a thread of
 * its own, because sidecars have no patience, and the driver's thread is busy for seconds when it loads
 * its modules or replays a log. What sidecars do (csi-lib-utils 0.24, `connection.go`, `rpc/common.go`):
 *
 * - They end where a socket is missing for 30 s.
 * - They end where a connection is taken and not greeted within a second: gRPC dials again, and a second
 *   dial after one that the kernel had accepted counts as a lost driver.
 * - They ask Probe for ever, as long as the answer is "not ready" or none in time.
 * - Right after "ready", the attacher ends where it is not told name and capabilities within a second.
 *
 * So the thread greets, and answers these questions, at any time. All others are the driver's: until it
 * listens itself, they do not exist here, so that no call reaches a driver that may not act.
 */
export class WaitingSocket implements CsiPart {
  readonly #thread: Worker;
  readonly #socket: string;
  readonly #ended: Promise<void>;
  readonly #failing = new AbortController();

  private constructor(thread: Worker, socket: string) {
    this.#thread = thread;
    this.#socket = socket;
    this.#ended = new Promise((resolve) => thread.once('exit', () => resolve()));
    thread.on('error', (error) => this.#failing.abort(error));
  }

  /** Opens the socket of a driver that is not ready yet. Throws where that is not possible. */
  static async open({ socket, driver, target, probeMs = PROBE_MS }: WaitingSocketOptions): Promise<WaitingSocket> {
    const workerData: WaitingSocketTask = { socket, driver, target, probeMs };
    const thread = new Worker(moduleFile(import.meta.url, 'waiting-socket-thread'), { workerData });
    const opened = new WaitingSocket(thread, socket);
    const { failed } = opened;
    await new Promise<void>((resolve, reject) => {
      thread.once('message', () => resolve());
      failed.addEventListener('abort', () => reject(failed.reason as Error), { once: true });
    });
    return opened;
  }

  /** Aborts when the socket has failed: sidecars are not answered any more. */
  get failed(): AbortSignal {
    return this.#failing.signal;
  }

  /** Hands calls on to the driver, which answers by now, and lets those who wait know. */
  async afterListening(): Promise<void> {
    this.#wish('serve');
  }

  /** Takes no more calls, lets those under way end, and removes the socket. */
  async beforeClosing(): Promise<void> {
    this.#wish('drain');
    await this.#ended;
  }

  /** Ends every call and removes the socket. */
  async abort(): Promise<void> {
    await this.#thread.terminate();
    await this.#ended;
    await fs.rm(this.#socket, { force: true });
  }

  #wish(wish: WaitingSocketWish): void {
    this.#thread.postMessage(wish);
  }
}
