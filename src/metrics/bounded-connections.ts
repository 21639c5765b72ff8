import type { Server, Socket } from 'node:net';

/** How many connections a server has at a time at most, and how long each of them lasts at most. */
export interface ConnectionLimits {
  readonly connections: number;
  readonly connectionMs: number;
}

/**
 * The connections of a server to which anybody may connect. A new one takes the place of another one, and none lasts
 * long: so whoever comes is heard, however many others say nothing, say it slowly, or do not take their answers.
 */
export class BoundedConnections {
  readonly #limits: ConnectionLimits;
  /** By the address of the other end; of each, the oldest first. */
  readonly #byAddress = new Map<string, Set<Socket>>();
  #count = 0;

  private constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Bounds the connections of a server from now on. */
  static of(server: Server, limits: ConnectionLimits): void {
    const connections = new BoundedConnections(limits);
    server.on('connection', (socket: Socket) => connections.#add(socket));
  }

  #add(socket: Socket): void {
    const { connections, connectionMs } = this.#limits;
    const address = socket.remoteAddress ?? ''; // none where it is gone already
    const forget = () => {
      clearTimeout(timer);
      this.#remove(socket, address);
    };
    const timer = setTimeout(() => socket.destroy(), connectionMs).unref();
    socket.once('close', forget);
    this.#byAddress.set(address, (this.#byAddress.get(address) ?? new Set()).add(socket));
    this.#count++;
    if (this.#count > connections) this.#oldestOfMost().destroy();
  }

  #remove(socket: Socket, address: string): void {
    const sockets = this.#byAddress.get(address)!;
    sockets.delete(socket);
    this.#count--;
    if (sockets.size === 0) this.#byAddress.delete(address);
  }

  /** Of the address that has the most connections the oldest one: many from a pod cost the kubelet none of its few. */
  #oldestOfMost(): Socket {
    let most = new Set<Socket>();
    for (const sockets of this.#byAddress.values()) if (sockets.size > most.size) most = sockets;
    const [oldest] = [...most].filter(({ destroyed }) => !destroyed); // or it is gone a moment later
    return oldest;
  }
}
