import path from 'node:path';
import type { Logger } from 'winston';
import { pluginRegistration } from '../csi/server/protocols.ts';
import { removeStale, SocketServer } from '../csi/server/server.ts';
import { handlersOf } from '../csi/server/service.ts';
import { messageOf } from '../famfs/errors.ts';
import { SerialQueue } from '../famfs/serial-queue.ts';
import type { RegistrationHandlers } from '../generated/pluginregistration/Registration.ts';
import type { Health } from '../metrics/health.ts';

/** How long to leave a kubelet alone that has refused us. */
const RETRY_MS = 10_000;

/** The part of a node's health that this file sets. */
const PART = 'kubelet';

/** How a node plugin makes itself known to its kubelet. */
export interface RegistrationOptions {
  /** Where the kubelet looks: its `plugins_registry`. */
  readonly directory: string;
  readonly driver: string;
  /** File of the CSI socket, by the path that the kubelet sees. */
  readonly endpoint: string;
  readonly health: Health;
  readonly log: Logger;
  /** How long to wait after a refusal. */
  readonly retryMs?: number;
}

/**
 * Registers the node plugin with its kubelet, which watches a directory for sockets: one that appears
 * there is asked who it is, and its driver what node this is and which pools it reaches; one that
 * goes is forgotten, with its entry in the node's CSINode.
 */
export class Registration {
  readonly #options: RegistrationOptions;
  readonly #socket: string;
  #server: SocketServer | undefined;
  /** Opening and closing follow each other. */
  readonly #queue = new SerialQueue();
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;
  #registered = false;

  private constructor(options: RegistrationOptions, socket: string) {
    this.#options = options;
    this.#socket = socket;
  }

  /** Prepares a registration. Removes the socket that a killed process left, which the kubelet takes for a living one. */
  static async prepare(options: RegistrationOptions): Promise<Registration> {
    const socket = path.join(options.directory, `${options.driver}-reg.sock`);
    await removeStale(socket);
    return new Registration(options, socket);
  }

  /** Whether the kubelet has confirmed the registration. */
  get registered(): boolean {
    return this.#registered;
  }

  /** Makes the socket, at which the kubelet then asks. The CSI socket has to answer by then. */
  open(): Promise<void> {
    return this.#queue.run('socket', () => this.#open());
  }

  /**
   * Lets the kubelet ask the driver again: it reads a node's topology at registration only. The
   * driver is missing from the node for a second or two; volumes in use do not notice.
   */
  renew(): Promise<void> {
    return this.#queue.run('socket', async () => {
      await this.#close();
      await this.#open();
    });
  }

  /** Removes the socket: the kubelet sends no more calls. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.#queue.run('socket', () => this.#close());
  }

  async #open(): Promise<void> {
    if (this.#isClosed) return;
    this.#options.health.set(PART, 'it has not registered this plugin yet');
    const handlers = handlersOf<RegistrationHandlers>({
      GetInfo: () => ({
        type: 'CSIPlugin', name: this.#options.driver, endpoint: this.#options.endpoint, supported_versions: ['1.0.0'],
      }),
      NotifyRegistrationStatus: ({ plugin_registered: registered, error }) => {
        this.#onStatus(registered, error);
        return {};
      },
    }, this.#options.log);
    this.#server = await SocketServer.listen(this.#socket, (grpc) => {
      grpc.addService(pluginRegistration.Registration.service, handlers as never);
    });
  }

  async #close(): Promise<void> {
    clearTimeout(this.#retry);
    this.#registered = false;
    await this.#server?.drain();
    this.#server = undefined;
  }

  /** Older kubelets try a plugin once only, which is why a refusal is answered by a new socket. */
  #onStatus(registered: boolean, error: string): void {
    const { health, log, driver } = this.#options;
    this.#registered = registered;
    clearTimeout(this.#retry);
    if (registered) {
      log.info('registered with the kubelet', { driver });
      health.set(PART, undefined);
      return;
    }
    log.error('the kubelet has refused the plugin', { driver, reason: error });
    health.set(PART, `it has refused this plugin: ${error}`);
    this.#renewLater();
  }

  #renewLater(): void {
    const { log, retryMs = RETRY_MS } = this.#options;
    this.#retry = setTimeout(() => {
      this.renew().catch((failure: unknown) => {
        log.error('not offered again, for now', { reason: messageOf(failure) });
        this.#renewLater();
      });
    }, retryMs).unref();
  }
}
