import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { KubeConfig, type V1Node } from '@kubernetes/client-node';
import { silentLog } from '../../../src/csi/log.ts';
import { KubeApi } from '../../../src/kube/client.ts';
import { watchObjects } from '../../../src/kube/informer.ts';

const CALL_MS = 1_000;

describe('calls to the API server', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });

  /** Something that answers over HTTP, its client, and how many connections there were. */
  const serve = async (answer: RequestListener, callMs: number) => {
    const server = createServer(answer);
    servers.push(server);
    let connections = 0;
    server.on('connection', () => connections++);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const config = new KubeConfig();
    const { port } = server.address() as AddressInfo;
    config.loadFromClusterAndUser({ name: 'c', server: `http://127.0.0.1:${port}`, skipTLSVerify: true }, { name: 'u' });
    return { api: new KubeApi(config, callMs), connections: () => connections };
  };
  const json = (value: object): RequestListener => (_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(value));
  };

  it('keep their connection beyond the deadlines of calls that were answered', async () => {
    const { api, connections } = await serve(json({ metadata: { name: 'n' }, spec: { drivers: null } }), CALL_MS);
    await api.storage.readCSINode({ name: 'n' });
    await delay(1.1 * CALL_MS);
    await api.storage.readCSINode({ name: 'n' });
    assert.equal(connections(), 1);
  });

  it('open a new connection after one on which nothing was answered any more', async () => {
    let silent = true;
    const answer = json({ metadata: { name: 'n' }, spec: { drivers: null } });
    const { api, connections } = await serve((request, response) => {
      if (!silent) answer(request, response);
    }, CALL_MS);
    await assert.rejects(api.storage.readCSINode({ name: 'n' }));
    silent = false;
    await api.storage.readCSINode({ name: 'n' });
    assert.equal(connections(), 2);
  });

  it('read what is watched page by page, so that others get their turn, and watch from there', async () => {
    const node = (name: string): V1Node => ({ metadata: { name } });
    const asked: Record<string, string>[] = [];
    const { promise: watching, resolve } = Promise.withResolvers<void>();
    const { api } = await serve((request, response) => {
      const query = Object.fromEntries(new URL(request.url!, 'http://x').searchParams);
      asked.push(query);
      if ('watch' in query) return resolve();
      const isFirst = query['continue'] === undefined;
      json({ metadata: { resourceVersion: '7', ...(isFirst ? { continue: 'more' } : {}) }, items: [node(isFirst ? 'a' : 'b')] })(request, response);
    }, CALL_MS);
    const ending = new AbortController();
    const nodes = watchObjects<V1Node>(api, { path: '/api/v1/nodes', list: (page) => api.core.listNode(page) }, () => undefined, silentLog(), ending.signal);
    await watching;
    ending.abort();
    assert.deepEqual(nodes.list().map(({ metadata }) => metadata?.name), ['a', 'b']);
    assert.deepEqual(asked, [{ limit: '500' }, { limit: '500', continue: 'more' }, { watch: 'true', resourceVersion: '7' }]);
  });
});
