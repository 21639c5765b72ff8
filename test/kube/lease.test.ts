import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { silentLog } from '../../src/csi/log.ts';
import type { KubeApi } from '../../src/kube/client.ts';
import { KubernetesLease } from '../../src/kube/lease.ts';
import { Names } from '../../src/kube/names.ts';
import { apiServer, type ApiServer } from './api-server.ts';
import { Line } from './line.ts';

const driver = 'csi.example.org';
const names = new Names(driver);
const name = names.controllerLease;

describe('the lease in Kubernetes', () => {
  let server: ApiServer;
  let api: KubeApi;
  let namespace: string;
  const held: KubernetesLease[] = [];

  before(async () => { server = await apiServer(); api = server.api(); });
  beforeEach(async () => { namespace = await server.namespace(); });
  afterEach(async () => { await Promise.all(held.splice(0).map((lease) => lease.release())); });

  const acquire = async (pod: string, through = api, signal?: AbortSignal) => {
    const lease = await KubernetesLease.acquire({
      api: through, namespace, names, holder: { identity: pod, process: randomUUID() }, log: silentLog(), ...(signal === undefined ? {} : { signal }),
    });
    held.push(lease);
    return lease;
  };
  const read = () => api.coordination.readNamespacedLease({ name, namespace });
  const lost = (lease: KubernetesLease) => new Promise<string>((resolve) => {
    if (lease.lost.aborted) resolve(String(lease.lost.reason));
    lease.lost.addEventListener('abort', () => resolve(String(lease.lost.reason)));
  });

  it('has one holder, and passes to the next with the epochs that were reached', async () => {
    const first = await acquire('pod-a');
    let got = false;
    const waiting = acquire('pod-b').then((lease) => { got = true; return lease; });
    await Promise.all([first.raise('p', 5), first.raise('q', 2)]);
    await first.raise('p', 3);
    await delay(12_000); // longer than a lease lasts that nobody renews
    assert.ok(!got);
    first.mustHold();
    assert.equal((await read()).spec?.holderIdentity, 'pod-a');
    await first.release();
    assert.throws(() => first.mustHold(), /given back/);
    const second = await waiting;
    assert.deepEqual([second.epochOf('p'), second.epochOf('q'), second.epochOf('r'), second.epoch], [5, 2, 0, 5]);
    assert.ok(!first.lost.aborted);
  });

  it('is had at once by a new process of the same pod, and the former one finds out', async () => {
    const first = await acquire('pod-a');
    const second = await acquire('pod-a');
    assert.match(await lost(first), /lease is lost: pod-a holds it now/);
    assert.throws(() => first.mustHold(), /holds it now/);
    await assert.rejects(first.raise('p', 7), /holds it now/);
    second.mustHold();
  });

  it('is lost before another can have it when the API server falls silent', async () => {
    const line = await Line.to(server.port);
    const first = await acquire('pod-a', server.api('admin', line.port));
    line.silence();
    let lostFirst = false;
    const ended = lost(first).then((reason) => { lostFirst = true; return reason; });
    const second = await acquire('pod-b').then((lease) => { assert.ok(lostFirst, 'two held it'); return lease; });
    assert.match(await ended, /could not be renewed for \d s: the API server does not answer/);
    assert.throws(() => first.mustHold(), /could not be renewed/);
    second.mustHold();
    await line.close();
  });

  it('outlives an API server that restarts', async () => {
    const line = await Line.to(server.port);
    const lease = await acquire('pod-a', server.api('admin', line.port));
    line.refuse();
    await delay(3_000);
    line.restore();
    await delay(6_000);
    lease.mustHold();
    await lease.raise('p', 1);
    await line.close();
  });

  it('is waited for through an outage', async () => {
    const line = await Line.to(server.port);
    line.refuse();
    const waiting = acquire('pod-a', server.api('admin', line.port));
    await delay(2_000);
    line.restore();
    (await waiting).mustHold();
    await line.close();
  });

  it('can be given up waiting for', async () => {
    await acquire('pod-a');
    const stopping = new AbortController();
    const waiting = acquire('pod-b', api, stopping.signal);
    stopping.abort();
    await assert.rejects(waiting, { name: 'AbortError' });
  });

  it('comes back with its epochs when somebody deletes it', async () => {
    const lease = await acquire('pod-a');
    await lease.raise('p', 4);
    let got = false;
    const waiting = acquire('pod-b').then((other) => { got = true; return other; });
    await delay(1_000);
    await api.coordination.deleteNamespacedLease({ name, namespace });
    await lease.raise('q', 6);
    await delay(3_000);
    assert.ok(!got);
    lease.mustHold();
    await lease.release();
    assert.deepEqual([(await waiting).epochOf('p'), held.at(-1)!.epochOf('q')], [4, 6]);
  });

  it('survives what others write into it, and is lost when they write another holder', async () => {
    const lease = await acquire('pod-a');
    await lease.raise('p', 4);
    const note = await read();
    note.metadata!.annotations = { note: 'kept', 'famfs.io/epochs': 'nonsense' };
    await api.coordination.replaceNamespacedLease({ name, namespace, body: note });
    await lease.raise('p', 5);
    lease.mustHold();
    const noted = await read();
    assert.deepEqual([noted.metadata?.annotations?.['note'], noted.metadata?.annotations?.['famfs.io/epochs']], ['kept', '{"p":5}']);
    const edited = await read();
    edited.spec!.holderIdentity = 'somebody';
    await api.coordination.replaceNamespacedLease({ name, namespace, body: edited });
    assert.match(await lost(lease), /somebody holds it now/);
  });

  it('is waited for by those who saw it when it is deleted, as its holder may not know yet', async () => {
    const line = await Line.to(server.port);
    const first = await acquire('pod-a', server.api('admin', line.port));
    await first.raise('p', 9);
    const waiting = acquire('pod-b');
    await delay(1_500);
    line.silence();
    await api.coordination.deleteNamespacedLease({ name, namespace });
    let lostFirst = false;
    void lost(first).then(() => { lostFirst = true; });
    const second = await waiting;
    assert.ok(lostFirst, 'two held it');
    assert.equal(second.epochOf('p'), 9);
    await line.close();
  });
});
