/**
 * Process: attacks an HTTP endpoint of this machine until SIGTERM, then prints how often it has connected.
 * Arguments: port, shape, clients, and the address of this machine to come from.
 */
import net from 'node:net';
import type { HttpAttack } from './http-attack.ts';

/** Clients that begin in a millisecond: as many as the kernel has room for, until the attacked one takes them. */
const PER_MS = 2;

interface Shape {
  /** What each client says, by its number. */
  readonly says: (client: number) => string;
  /** How long it stays away when its connection was ended. */
  readonly awayMs: number;
}

/** Of the unfinished requests, half say more than the 8 KiB that a header may have, and half stay below and never end. */
const shapes: Record<HttpAttack, Shape> = {
  unfinished: { says: (client) => `GET /metrics HTTP/1.1\r\nhost: here\r\nx-endless: ${'x'.repeat(client % 2 === 0 ? 15_000 : 7000)}`, awayMs: 5000 },
  idle: { says: () => '', awayMs: 5000 },
  scrapes: { says: () => 'GET /metrics HTTP/1.1\r\nhost: here\r\n\r\n', awayMs: 20 },
};

const [port, shape, clients, localAddress] = process.argv.slice(2) as [string, HttpAttack, string, string];
const { says, awayMs } = shapes[shape];
let connections = 0;

function attack(client: number): void {
  const socket = net.connect({ port: Number(port), host: '127.0.0.1', localAddress });
  socket.on('error', () => undefined);
  socket.on('data', () => undefined);
  socket.once('connect', () => {
    connections++;
    socket.write(says(client));
  });
  socket.once('close', () => setTimeout(attack, awayMs, client));
}

process.once('SIGTERM', () => {
  console.log(connections);
  process.exit(0);
});
for (let client = 0; client < Number(clients); client++) setTimeout(attack, client / PER_MS, client);
console.log('begun');
