import assert from 'node:assert/strict';
import net from 'node:net';
import { Gauge } from 'prom-client';
import { silentLog } from '../../../src/csi/log.ts';
import { addControllerMetrics, type PoolFigures } from '../../../src/metrics/controller-metrics.ts';
import { Health } from '../../../src/metrics/health.ts';
import { HTTP_LIMITS, HttpEndpoint, type HttpLimits } from '../../../src/metrics/http-endpoint.ts';
import { Metrics } from '../../../src/metrics/metrics.ts';
import { until } from '../../support/until.ts';

describe('health and metrics over HTTP', () => {
  let health: Health;
  let metrics: Metrics;
  let endpoint: HttpEndpoint;

  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${endpoint.port}${path}`, { method });
    return { code: response.status, text: await response.text(), type: response.headers.get('content-type') };
  };

  beforeEach(async () => {
    health = new Health();
    metrics = new Metrics();
    endpoint = await HttpEndpoint.listen(0, { health, metrics, log: silentLog() });
  });

  afterEach(() => endpoint.close());

  it('is ready when no part names an obstacle, and alive in any case', async () => {
    assert.equal((await ask('/readyz')).code, 200);
    health.set('kubelet', 'it sleeps');
    health.set('data plane', 'it is away');
    const { code, text } = await ask('/readyz?verbose');
    assert.deepEqual([code, text], [503, 'kubelet: it sleeps\ndata plane: it is away\n']);
    assert.equal((await ask('/healthz')).code, 200);
    health.set('kubelet', undefined);
    assert.equal((await ask('/readyz')).text, 'data plane: it is away\n');
    health.set('data plane', undefined);
    assert.equal((await ask('/readyz')).code, 200);
  });

  it('tells metrics as Prometheus reads them, brought up to date before', async () => {
    let figures: PoolFigures[] | undefined;
    addControllerMetrics(metrics, () => figures);
    metrics.addProcess();
    const { text, type } = await ask('/metrics');
    assert.match(type!, /^text\/plain; version=0\.0\.4/);
    assert.match(text, /^famfs_leader 0$/m);
    assert.match(text, /^process_resident_memory_bytes \d+/m);
    assert.doesNotMatch(text, /pool="/);

    const usage = { usedBytes: 1, freeBytes: 2, quarantinedBytes: 3, largestAllocatableBytes: 4, slotsUsed: 5, slotsTotal: 6 };
    const reclaim = { scrubbingBytes: 3, scrubbedBytes: 2, waitsFor: ['node-b'] };
    figures = [{ pool: 'fast', health: 'damaged', usage, reclaim }, { pool: 'gone', health: 'unavailable' }];
    const told = async () => (await ask('/metrics')).text.split('\n').filter((line) => /^famfs_(leader|pool)/.test(line)).sort();
    await until(async () => assert.deepEqual(await told(), [
      'famfs_leader 1',
      'famfs_pool_bytes{pool="fast",state="free"} 2',
      'famfs_pool_bytes{pool="fast",state="largest_allocatable"} 4',
      'famfs_pool_bytes{pool="fast",state="quarantined"} 3',
      'famfs_pool_bytes{pool="fast",state="scrubbed"} 2',
      'famfs_pool_bytes{pool="fast",state="scrubbing"} 3',
      'famfs_pool_bytes{pool="fast",state="used"} 1',
      'famfs_pool_health{pool="fast",state="damaged"} 1',
      'famfs_pool_health{pool="fast",state="foreign"} 0',
      'famfs_pool_health{pool="fast",state="ok"} 0',
      'famfs_pool_health{pool="fast",state="unavailable"} 0',
      'famfs_pool_health{pool="gone",state="damaged"} 0',
      'famfs_pool_health{pool="gone",state="foreign"} 0',
      'famfs_pool_health{pool="gone",state="ok"} 0',
      'famfs_pool_health{pool="gone",state="unavailable"} 1',
      'famfs_pool_slots{pool="fast",state="total"} 6',
      'famfs_pool_slots{pool="fast",state="used"} 5',
      'famfs_pool_waits_for_host{pool="fast",host="node-b"} 1',
    ]));
    figures = undefined;
    await until(async () => assert.doesNotMatch((await ask('/metrics')).text, /pool="/, 'another one leads now'));
  });

  it('fails a scrape whose numbers cannot be had, and no other request', async () => {
    metrics.onScrape(() => {
      throw new Error('no');
    });
    assert.equal((await ask('/metrics')).code, 500);
    assert.equal((await ask('/healthz')).code, 200);
  });

  it('answers whether it is alive while numbers are awaited, which all share who ask meanwhile', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    let scrapes = 0;
    metrics.onScrape(() => {
      scrapes++;
      return gate;
    });
    const asked = Array.from({ length: 20 }, () => ask('/metrics'));
    await until(() => assert.equal(scrapes, 1));
    assert.equal((await ask('/healthz')).code, 200);
    open();
    assert.deepEqual((await Promise.all(asked)).map(({ code }) => code), Array.from({ length: 20 }, () => 200));
    assert.equal(scrapes, 1);
  });

  it('tells the same numbers again for ten times as long as they took, and then new ones', async () => {
    let scrapes = 0;
    metrics.onScrape(() => {
      scrapes++;
      for (const began = performance.now(); performance.now() - began < 20;);
    });
    for (const began = performance.now(); performance.now() - began < 100;) await ask('/metrics');
    assert.equal(scrapes, 1);
    await until(async () => {
      await ask('/metrics');
      assert.equal(scrapes, 2);
    });
  });

  describe('to which anybody connects', () => {
    const sockets: net.Socket[] = [];
    const connect = async (from = '127.0.0.1') => {
      const socket = net.connect({ port: endpoint.port, host: '127.0.0.1', localAddress: from });
      sockets.push(socket.on('error', () => undefined).on('data', () => undefined));
      await new Promise((resolve) => socket.once('connect', resolve));
      return socket;
    };
    const limited = async (limits: Partial<HttpLimits>) => {
      await endpoint.close();
      endpoint = await HttpEndpoint.listen(0, { health, metrics, log: silentLog() }, { ...HTTP_LIMITS, ...limits });
    };
    const remaining = () => sockets.map((socket) => !socket.closed);

    afterEach(() => {
      for (const socket of sockets.splice(0)) socket.destroy();
    });

    it('gives up the oldest connection for a new one, of whoever has the most', async () => {
      await limited({ connections: 4 });
      for (const from of ['127.0.0.1', '127.0.0.2', '127.0.0.2', '127.0.0.2']) await connect(from);
      assert.equal((await ask('/healthz')).code, 200);
      await until(() => assert.deepEqual(remaining(), [true, false, true, true]));
      await connect('127.0.0.2');
      await connect('127.0.0.2');
      await until(() => assert.deepEqual(remaining(), [true, false, false, true, true, true]));
    });

    it('ends every connection after a while, whatever it does', async () => {
      await limited({ connectionMs: 50 });
      const [deaf, slow, silent] = [await connect(), await connect(), await connect()];
      const large = 32e6; // more than the kernel takes off our hands
      new Gauge({ name: 'large', help: 'x'.repeat(large), registers: [metrics.registry] });
      deaf.pause().write('GET /metrics HTTP/1.1\r\nhost: here\r\n\r\n');
      slow.write('GET /healthz HTTP/1.1\r\nx-slow: ');
      const drip = setInterval(() => slow.write('x'), 5);
      await until(() => assert.deepEqual([silent.closed, slow.closed], [true, true]));
      clearInterval(drip);
      deaf.resume();
      await until(() => assert.equal(deaf.closed, true));
      assert.ok(deaf.bytesRead < large, `${deaf.bytesRead} bytes`);
    });

    it('serves one request by a connection', async () => {
      const socket = await connect();
      let heard = '';
      socket.on('data', (data) => { heard += String(data); });
      socket.write('GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n'.repeat(3));
      await until(() => assert.equal(socket.closed, true));
      assert.deepEqual(heard.match(/HTTP\/1.1 \d+|connection: \w+/gi), ['HTTP/1.1 200', 'Connection: close']);
    });

    it('reads no headers of more than 8 KiB', async () => {
      const response = await fetch(`http://127.0.0.1:${endpoint.port}/healthz`, { headers: { long: 'x'.repeat(HTTP_LIMITS.headerBytes) } });
      assert.equal(response.status, 431);
    });
  });

  it('knows three paths, to be read', async () => {
    assert.equal((await ask('/')).code, 404);
    assert.equal((await ask('/healthz', 'POST')).code, 405);
    assert.deepEqual(await ask('/healthz', 'HEAD').then(({ code, text }) => [code, text]), [200, '']);
  });

  it('does not share its port', async () => {
    await assert.rejects(HttpEndpoint.listen(endpoint.port, { health, metrics, log: silentLog() }), { code: 'EADDRINUSE' });
  });
});
