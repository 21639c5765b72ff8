import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { Writable } from 'node:stream';
import { credentials, status } from '@grpc/grpc-js';
import { createLogger, transports } from 'winston';
import { refuse } from '../../../../src/csi/errors.ts';
import { createLog } from '../../../../src/csi/log.ts';
import { csi } from '../../../../src/csi/server/protocols.ts';
import { SocketServer } from '../../../../src/csi/server/server.ts';
import { handlersOf } from '../../../../src/csi/server/service.ts';
import type { ControllerHandlers } from '../../../../src/generated/csi/v1/Controller.ts';
import { tempDir } from '../../../harness/temp.ts';

type Line = Record<string, unknown> & { message: string };

/** Collects log lines as the real format writes them. */
class Collector extends Writable {
  readonly lines: Line[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.lines.push(JSON.parse(chunk.toString()) as Line);
    done();
  }
}

describe('a service on a unix socket', () => {
  const folder = tempDir('service');
  const socket = path.join(folder, 'sub', 'csi.sock');
  const collector = new Collector();
  const log = createLogger({ level: 'debug', format: createLog('debug', 'test').format, transports: [new transports.Stream({ stream: collector })] });
  const client = new csi.Controller(`unix://${socket}`, credentials.createInsecure());
  const observed: [method: string, code: string][] = [];
  let server: SocketServer;

  before(async () => {
    fs.mkdirSync(path.dirname(socket));
    // What a killed process leaves: a socket file on which nobody answers.
    const dead = net.createServer().listen(socket);
    await new Promise((resolve) => dead.once('listening', resolve));
    fs.renameSync(socket, `${socket}.kept`);
    await new Promise((resolve) => dead.close(resolve));
    fs.renameSync(`${socket}.kept`, socket);
    server = await SocketServer.listen(socket, (grpc) => grpc.addService(csi.Controller.service, handlersOf<ControllerHandlers>({
      CreateVolume: ({ name }) => {
        log.info('inside');
        if (name === '') throw refuse.invalid('name is required');
        return { volume: { volume_id: name } };
      },
      DeleteVolume: () => { throw new Error('broken'); },
    }, log)), (method, code, seconds) => {
      assert.ok(seconds >= 0);
      observed.push([method, code]);
    });
  });

  after(async () => {
    client.close();
    await server.drain();
    assert.ok(!fs.existsSync(socket));
    fs.rmSync(folder, { recursive: true });
  });

  beforeEach(() => {
    collector.lines.splice(0);
    observed.splice(0);
  });

  const create = (name: string) => new Promise<string>((resolve, reject) => {
    client.createVolume({ name, secrets: { token: 'hidden-value' } }, (error, response) => {
      if (error) reject(error);
      else resolve(response!.volume!.volume_id);
    });
  });

  it('answers, only to its own user', async () => {
    assert.equal(await create('one'), 'one');
    assert.equal(fs.statSync(socket).mode & 0o777, 0o600);
  });

  it('gives every line of a call its request, method and volume, and hides secrets', async () => {
    await create('one');
    const answered = collector.lines.find(({ message }) => message === 'call answered')!;
    assert.equal(answered['code'], 'OK');
    assert.equal(typeof answered['duration'], 'number');
    assert.ok(collector.lines.length === 3);
    for (const line of collector.lines) {
      assert.deepEqual([line['request'], line['method'], line['volume']], [answered['request'], 'CreateVolume', 'one']);
    }
    assert.ok(!JSON.stringify(collector.lines).includes('hidden-value'));
  });

  it('answers refusals with their code and text', async () => {
    await assert.rejects(create(''), { code: status.INVALID_ARGUMENT, details: 'name is required' });
  });

  it('answers INTERNAL for what nobody foresaw, and UNIMPLEMENTED for what is not offered', async () => {
    const failure = (call: (reply: (error: unknown) => void) => void) => new Promise(call);
    assert.equal((await failure((reply) => client.deleteVolume({}, reply)) as { code: status }).code, status.INTERNAL);
    assert.equal((await failure((reply) => client.createSnapshot({}, reply)) as { code: status }).code, status.UNIMPLEMENTED);
    await create('one');
    assert.deepEqual(observed, [['DeleteVolume', 'INTERNAL'], ['CreateSnapshot', 'UNIMPLEMENTED'], ['CreateVolume', 'OK']]);
  });

  it('does not take the socket of a living server', async () => {
    await assert.rejects(SocketServer.listen(socket, () => undefined), /another process is serving/);
    assert.equal(await create('still'), 'still');
  });

  it('does not remove a file that is no socket', async () => {
    const file = path.join(folder, 'file');
    fs.writeFileSync(file, 'kept');
    await assert.rejects(SocketServer.listen(file, () => undefined), /no socket/);
    assert.equal(fs.readFileSync(file, 'utf8'), 'kept');
  });
});
