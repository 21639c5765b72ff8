/** A way to the API server that can be cut: a proxy that forwards, or says nothing, or refuses. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class Line {
  readonly #server: Server;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #state: 'up' | 'silent' | 'refusing' = 'up';

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    server.on('connection', (socket) => this.#accept(socket));
  }

  static async to(target: number): Promise<Line> {
    const server = createServer({ allowHalfOpen: false }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    return new Line(server, target);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Nothing gets through any more, and nobody is told: as with a dead network. */
  silence(): void {
    this.#state = 'silent';
    for (const socket of this.#sockets) socket.pause().unpipe();
  }

  /** Connections are broken, and new ones too: as with a server that restarts. */
  refuse(): void {
    this.#state = 'refusing';
    this.#destroyAll();
  }

  restore(): void {
    this.#state = 'up';
    this.#destroyAll();
  }

  async close(): Promise<void> {
    this.#destroyAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    this.#keep(socket);
    if (this.#state === 'refusing') socket.destroy();
    if (this.#state !== 'up') return;
    const onward = connect(this.#target, '127.0.0.1');
    this.#keep(onward);
    socket.pipe(onward).pipe(socket);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
