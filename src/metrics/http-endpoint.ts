import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'winston';
import { messageOf } from '../famfs/errors.ts';
import type { Health } from './health.ts';
import type { Metrics } from './metrics.ts';

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

/** /healthz, /readyz and /metrics of one role, for the kubelet and Prometheus. */
export class HttpEndpoint {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Serves on a port of all addresses; 0 takes a free one. */
  static async listen(port: number, subject: HttpSubject): Promise<HttpEndpoint> {
    const server = createServer((request, response) => void answer(subject, request, response));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, resolve);
    });
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

async function answer(subject: HttpSubject, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { code, text, type = 'text/plain; charset=utf-8' } = await answerTo(subject, request).catch((error: unknown) => {
    subject.log.error('no metrics', { reason: messageOf(error) });
    return { code: 500, text: 'the metrics cannot be told: see the log\n' } as Answer;
  });
  response.writeHead(code, { 'content-type': type });
  response.end(request.method === 'HEAD' ? undefined : text);
}

async function answerTo({ health, metrics }: HttpSubject, { method, url = '' }: IncomingMessage): Promise<Answer> {
  if (method !== 'GET' && method !== 'HEAD') return { code: 405, text: 'only GET and HEAD\n' };
  switch (url.replace(/\?.*$/, '')) {
    case '/healthz':
      return { code: 200, text: 'ok\n' };
    case '/readyz': {
      const { obstacles } = health;
      return obstacles.length === 0 ? { code: 200, text: 'ok\n' } : { code: 503, text: obstacles.map((line) => `${line}\n`).join('') };
    }
    case '/metrics':
      return { code: 200, text: await metrics.text(), type: metrics.contentType };
    default:
      return { code: 404, text: 'there are /healthz, /readyz and /metrics\n' };
  }
}
