import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import { createLogger, transports } from 'winston';
import { silentLog } from '../../../src/csi/log.ts';
import { pluginRegistration } from '../../../src/csi/server/protocols.ts';
import { Health } from '../../../src/metrics/health.ts';
import { Registration } from '../../../src/node/registration.ts';
import { tempDir } from '../../harness/temp.ts';
import { plain, unary } from '../../support/grpc-client.ts';
import { until } from '../../support/until.ts';

describe('registration with the kubelet', () => {
  const directory = tempDir('registration');
  const socket = path.join(directory, 'famfs.example.org-reg.sock');
  const health = new Health();
  const options = { directory, driver: 'famfs.example.org', endpoint: '/csi.sock', health, log: silentLog(), retryMs: 10 };
  let registration: Registration;

  const made = () => fs.statSync(socket, { bigint: true }).ctimeNs;
  const tell = async (error: string, meanwhile = () => {}) => {
    const client = new pluginRegistration.Registration(`unix://${socket}`, plain);
    await promisify(client.waitForReady.bind(client))(Date.now() + 60_000);
    meanwhile();
    await unary(client, client.notifyRegistrationStatus, { plugin_registered: error === '', error });
    client.close();
  };

  beforeEach(async () => {
    registration = await Registration.prepare(options);
  });

  afterEach(() => registration.close());

  it('shows a socket that only root may use, until it is closed', async () => {
    assert.equal(fs.existsSync(socket), false);
    await registration.open();
    assert.equal(fs.statSync(socket).mode & 0o777, 0o600);
    await registration.close();
    assert.equal(fs.existsSync(socket), false);
    await registration.renew();
    assert.equal(fs.existsSync(socket), false, 'it is over');
  });

  it('is in force when the kubelet says so, until it is renewed', async () => {
    await registration.open();
    assert.equal(registration.registered, false);
    await tell('');
    assert.deepEqual([registration.registered, health.obstacles], [true, []]);
    const before = made();
    await registration.renew();
    assert.notEqual(made(), before);
    assert.equal(registration.registered, false);
    assert.match(health.obstacles.join(), /kubelet: it has not registered/);
  });

  it('offers itself again when it was refused', async () => {
    await registration.open();
    const before = made();
    await tell('another driver has that name');
    await until(() => assert.notEqual(made(), before));
  });

  it('goes on trying where it cannot offer itself', async () => {
    const failed = Promise.withResolvers<string>();
    const log = createLogger({ transports: [new transports.Stream({ stream: new PassThrough().on('data', (line) => {
      if (/not offered again, for now/.test(String(line))) failed.resolve(String(line));
    }) })] });
    const elsewhere = await Registration.prepare({ ...options, log });
    await elsewhere.open();
    await tell('another driver has that name', () => {
      fs.rmSync(directory, { recursive: true });
      fs.writeFileSync(directory, 'no directory');
    });
    assert.match(await failed.promise, /ENOTDIR|EEXIST/);
    fs.rmSync(directory);
    await until(() => assert.ok(fs.statSync(socket).isSocket()));
    await tell('');
    assert.equal(elsewhere.registered, true);
    await elsewhere.close();
  });

  it('takes the place of a socket that nobody serves, and of no other', async () => {
    await registration.open();
    await assert.rejects(Registration.prepare(options), /another process is serving/);
    await registration.close();
    const dead = net.createServer().listen(`${socket}.dead`);
    await new Promise((resolve) => dead.once('listening', resolve));
    fs.linkSync(`${socket}.dead`, socket);
    await new Promise((resolve) => dead.close(resolve));
    registration = await Registration.prepare(options);
    assert.equal(fs.existsSync(socket), false);
  });
});
