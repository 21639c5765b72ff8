import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { silentLog } from '../../src/csi/log.ts';
import { EventRecorder } from '../../src/kube/events.ts';
import { apiServer, type ApiServer } from './api-server.ts';
import { Line } from './line.ts';
import { grant } from './rights.ts';

describe('events', () => {
  let server: ApiServer;
  let namespace: string;

  before(async () => { server = await apiServer(); });
  beforeEach(async () => {
    namespace = await server.namespace();
    await grant(server, 'controller', namespace);
  });

  const recorder = (repeatMs?: number, port?: number) => new EventRecorder(
    server.api('controller', port), { component: 'csi.example.org', host: 'node', instance: 'pod' }, silentLog(), repeatMs);
  const pod = (name = 'pod') => ({ apiVersion: 'v1', kind: 'Pod', name, namespace, uid: randomUUID() });
  const warning = (message: string) => ({ type: 'Warning', reason: 'Test', message }) as const;
  const told = async () => (await server.api().core.listNamespacedEvent({ namespace })).items.map(({ message, count }) => `${message} ${count}`).sort();

  it('are told once, however often the same is said in a row', async () => {
    const events = recorder();
    const object = pod();
    for (const text of ['a', 'a', 'b', 'a']) events.record(object, warning(text));
    events.record(pod(), warning('a'));
    await events.flush();
    assert.deepEqual(await told(), ['a 1', 'a 1', 'b 1']);
  });

  it('count what is repeated later, also when the former one has expired', async () => {
    const events = recorder(0);
    const object = pod();
    events.record(object, warning('a'));
    events.record(object, warning('a'));
    await events.flush();
    assert.deepEqual(await told(), ['a 2']);
    await server.api().core.deleteCollectionNamespacedEvent({ namespace });
    events.record(object, warning('a'));
    await events.flush();
    assert.deepEqual(await told(), ['a 3']);
  });

  it('are cut to what an event may hold', async () => {
    const events = recorder();
    events.record(pod(`${'n'.repeat(219)}.${'m'.repeat(33)}`), warning('x'.repeat(5_000)));
    await events.flush();
    assert.deepEqual((await told()).map((text) => text.length), [1024 + ' 1'.length]);
  });

  it('are lost without harm while the API server is away', async () => {
    const line = await Line.to(server.port);
    const events = recorder(undefined, line.port);
    line.refuse();
    events.record(pod(), warning('lost'));
    await events.flush();
    line.restore();
    events.record(pod(), warning('kept'));
    await events.flush();
    assert.deepEqual(await told(), ['kept 1']);
    await line.close();
  });
});
