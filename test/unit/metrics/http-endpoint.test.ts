import assert from 'node:assert/strict';
import { silentLog } from '../../../src/csi/log.ts';
import { addControllerMetrics, type PoolFigures } from '../../../src/metrics/controller-metrics.ts';
import { Health } from '../../../src/metrics/health.ts';
import { HttpEndpoint } from '../../../src/metrics/http-endpoint.ts';
import { Metrics } from '../../../src/metrics/metrics.ts';

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
    const lines = (await ask('/metrics')).text.split('\n').filter((line) => /^famfs_(leader|pool)/.test(line));
    assert.deepEqual(lines.sort(), [
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
    ]);
    figures = undefined;
    assert.doesNotMatch((await ask('/metrics')).text, /pool="/, 'another one leads now');
  });

  it('fails a scrape whose numbers cannot be had, and no other request', async () => {
    metrics.onScrape(() => {
      throw new Error('no');
    });
    assert.equal((await ask('/metrics')).code, 500);
    assert.equal((await ask('/healthz')).code, 200);
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
