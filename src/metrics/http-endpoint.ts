import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'winston';
import { messageOf } from '../famfs/errors.ts';
import { BoundedConnections, type ConnectionLimits } from './bounded-connections.ts';
import type { Health } from './health.ts';
import type { Metrics } from './metrics.ts';
import { Scrapes } from './scrapes.ts';

/** What an endpoint tells. */
export interface HttpSubject {
  readonly health: Health;
  readonly metrics: Metrics;
  readonly log: Logger;
}

interface Answer {
  readonly code: number;
  readonly text: string;
  readonly type?: string;
}

/** What everybody who reaches the port can make us keep. */
export interface HttpLimits extends ConnectionLimits {
  /** Of a request's line and headers. */
  readonly headerBytes: number;
}

/** The kubelet and a few scrapers need no more: a connection serves one request, and is over with the answer. */
export const HTTP_LIMITS: HttpLimits = { connections: 64, headerBytes: 8192, connectionMs: 10_000 };

/** Connections that wait in the kernel until we take them, one in each turn. Where there is no room, the kernel forgets some for a second. */
const BACKLOG = 4096;

/**
 * /healthz, /readyz and /metrics of one role, for the kubelet and Prometheus. Anybody may connect, so nothing
 * here may cost the role more than a little: see HTTP_LIMITS, and Scrapes. Whether the role is alive is answered
 * in the same turn in which it is asked, whatever the others wait for.
 */
export class HttpEndpoint {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Serves on a port of all addresses; 0 takes a free one. */
  static async listen(port: number, subject: HttpSubject, limits: HttpLimits = HTTP_LIMITS): Promise<HttpEndpoint> {
    const scrapes = new Scrapes(subject.metrics, subject.log);
    const server = createServer({ maxHeaderSize: limits.headerBytes }, (request, response) => {
      answer(subject, scrapes, request, response);
    });
    server.maxRequestsPerSocket = 1; // what is sent behind the first one is not looked at
    BoundedConnections.of(server, limits);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, backlog: BACKLOG }, resolve);
    });
    server.on('error', (error) => subject.log.warn('a connection was not taken', { reason: error.message }));
    server.unref(); // it ends with its role, not the other way round
    return new HttpEndpoint(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

function answer(subject: HttpSubject, scrapes: Scrapes, { method = '', url = '' }: IncomingMessage, response: ServerResponse): void {
  const send = ({ code, text, type = 'text/plain; charset=utf-8' }: Answer) => {
    response.shouldKeepAlive = false;
    response.writeHead(code, { 'content-type': type });
    response.end(method === 'HEAD' ? undefined : text);
  };
  if (method !== 'GET' && method !== 'HEAD') return send({ code: 405, text: 'only GET and HEAD\n' });
  switch (url.replace(/\?.*$/, '')) {
    case '/healthz':
      return send({ code: 200, text: 'ok\n' });
    case '/readyz': {
      const { obstacles } = subject.health;
      return send(obstacles.length === 0 ? { code: 200, text: 'ok\n' } : { code: 503, text: obstacles.map((line) => `${line}\n`).join('') });
    }
    case '/metrics':
      scrapes.text().then(
        (text) => send({ code: 200, text, type: subject.metrics.contentType }),
        () => send({ code: 500, text: 'the metrics cannot be told: see the log\n' }),
      ).catch((error: unknown) => subject.log.error('no answer', { reason: messageOf(error) }));
      return;
    default:
      return send({ code: 404, text: 'there are /healthz, /readyz and /metrics\n' });
  }
}
