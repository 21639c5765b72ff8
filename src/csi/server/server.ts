import fs from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { type CallObserver, observing } from './observe.ts';

const DRAIN_MS = 10_000;

/** A gRPC server on one unix socket. */
export class SocketServer {
  readonly #server: Server;
  readonly #path: string;

  private constructor(server: Server, socket: string) {
    this.#server = server;
    this.#path = socket;
  }

  /**
   * Binds the socket, which only our own user may connect to, after removing one that a dead
   * process left. Throws where a live process answers on it.
   */
  static async listen(
    socket: string, addServices: (server: Server) => void, observe?: CallObserver,
  ): Promise<SocketServer> {
    await fs.mkdir(path.dirname(socket), { recursive: true, mode: 0o700 });
    await removeStale(socket);
    const server = new Server(observe === undefined ? {} : { interceptors: [observing(observe)] });
    addServices(server);
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) => {
        if (error) reject(new Error(`${socket}: ${error.message}`));
        else resolve();
      });
    });
    await fs.chmod(socket, 0o600);
    return new SocketServer(server, socket);
  }

  /** Takes no more calls, lets those under way end, and removes the socket. */
  async drain(): Promise<void> {
    const timer = setTimeout(() => this.#server.forceShutdown(), DRAIN_MS);
    await new Promise<void>((resolve) => {
      this.#server.tryShutdown(() => resolve());
    });
    clearTimeout(timer);
    await fs.rm(this.#path, { force: true });
  }

  /** Ends every call at once: for a process that has lost the right to answer. */
  async abort(): Promise<void> {
    this.#server.forceShutdown();
    await fs.rm(this.#path, { force: true });
  }
}

/** Removes a socket on which nobody answers. Throws where somebody does, and where it is no socket. */
export async function removeStale(socket: string): Promise<void> {
  const found = await fs.lstat(socket).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`${socket} exists and is no socket: remove it or choose another endpoint`);
  if (await answers(socket)) throw new Error(`${socket}: another process is serving there`);
  await fs.rm(socket, { force: true });
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = net.connect(socket);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
