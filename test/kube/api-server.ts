/** A real etcd and a real kube-apiserver, without any node: for all that only talks to the API. */
import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { KubeApi } from '../../src/kube/client.ts';
import { ensurePrograms } from '../cluster/programs.ts';
import { remove, shmFile, tempDir } from '../harness/temp.ts';
import { until } from '../support/until.ts';

const ADMIN = 'admin';

let shared: Promise<ApiServer> | undefined;

/** The API server of this test process; it starts with its first user and ends after the last test. */
export function apiServer(): Promise<ApiServer> {
  return shared ??= ApiServer.start();
}

if (typeof after === 'function') {
  after('end the API server', async () => {
    const server = await shared?.catch(() => undefined);
    await server?.stop();
  });
}

export class ApiServer {
  readonly port: number;
  readonly #folder: string;
  readonly #children: ChildProcess[] = [];
  /** Users and the token of each. */
  readonly #tokens: ReadonlyMap<string, string>;

  private constructor(folder: string, port: number, tokens: ReadonlyMap<string, string>) {
    this.#folder = folder;
    this.port = port;
    this.#tokens = tokens;
  }

  /** Starts both programs. Besides the administrator there is one user per role of the driver, with no rights yet. */
  static async start(): Promise<ApiServer> {
    const programs = await ensurePrograms(['etcd', 'kube-apiserver']);
    const folder = tempDir('api');
    const [port, client, peer] = await freePorts(3);
    const tokens = new Map([ADMIN, 'controller', 'fused', 'check', 'clean'].map((user) => [user, randomUUID()]));
    const server = new ApiServer(folder, port!, tokens);
    const data = shmFile('etcd');
    process.once('exit', () => server.#kill());
    server.#spawn(join(programs, 'etcd'), [
      `--data-dir=${data}`, '--unsafe-no-fsync', '--log-level=warn',
      `--listen-client-urls=http://127.0.0.1:${client}`, `--advertise-client-urls=http://127.0.0.1:${client}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
    ]);
    server.#spawn(join(programs, 'kube-apiserver'), [
      `--etcd-servers=http://127.0.0.1:${client}`, '--bind-address=127.0.0.1', '--allow-privileged', `--secure-port=${port}`, `--cert-dir=${join(folder, 'certs')}`,
      `--token-auth-file=${server.#tokenFile()}`, '--authorization-mode=RBAC', '--disable-admission-plugins=ServiceAccount',
      '--service-cluster-ip-range=10.0.0.0/24', '--service-account-issuer=https://test.invalid',
      ...server.#serviceAccountKeys(),
    ]);
    await server.#untilReady();
    return server;
  }

  /** The API as a user, directly or through another port. */
  api(user = ADMIN, port = this.port): KubeApi {
    return this.apiWith(this.#tokens.get(user)!, port);
  }

  /** The API as whoever has this token. */
  apiWith(token: string, port = this.port): KubeApi {
    const config = new KubeConfig();
    config.loadFromString(this.#kubeconfig(token, port));
    return new KubeApi(config);
  }

  /** A kubeconfig file for a program. */
  kubeconfigFile(user = ADMIN, port = this.port): string {
    const file = join(this.#folder, `kubeconfig-${randomUUID()}`);
    writeFileSync(file, this.#kubeconfig(this.#tokens.get(user)!, port));
    return file;
  }

  /** A new namespace for one test. */
  async namespace(): Promise<string> {
    const name = `test-${randomUUID().slice(0, 8)}`;
    await this.api().core.createNamespace({ body: { metadata: { name } } });
    return name;
  }

  async stop(): Promise<void> {
    const ended = this.#children.map((child) => new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) resolve(undefined);
      else child.once('exit', resolve);
    }));
    this.#kill();
    await Promise.all(ended);
    remove(this.#folder);
  }

  #kill(): void {
    for (const child of this.#children) child.kill('SIGKILL'); // nothing of it is kept
  }

  #spawn(program: string, args: string[]): void {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const log = createWriteStream(join(this.#folder, 'log'), { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    this.#children.push(child);
  }

  #tokenFile(): string {
    const file = join(this.#folder, 'tokens.csv');
    const lines = [...this.#tokens].map(([user, token]) => `${token},${user},${user}${user === ADMIN ? ',"system:masters"' : ''}\n`);
    writeFileSync(file, lines.join(''));
    return file;
  }

  #serviceAccountKeys(): string[] {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const [signing, checking] = [join(this.#folder, 'sa.key'), join(this.#folder, 'sa.pub')];
    writeFileSync(signing, privateKey.export({ type: 'pkcs1', format: 'pem' }));
    writeFileSync(checking, publicKey.export({ type: 'spki', format: 'pem' }));
    return [`--service-account-signing-key-file=${signing}`, `--service-account-key-file=${checking}`];
  }

  #kubeconfig(token: string, port: number): string {
    return JSON.stringify({
      apiVersion: 'v1', kind: 'Config', 'current-context': 'test',
      clusters: [{ name: 'test', cluster: { server: `https://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'test', user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    });
  }

  async #untilReady(): Promise<void> {
    const { core } = this.api().withCallTimeout(5_000);
    const died = () => this.#children.find(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null);
    try {
      await until(() => core.readNamespace({ name: 'kube-system' }), {
        everyMs: 200, hopeless: () => (died() === undefined ? undefined : 'one of its programs has ended'),
      });
    } catch (error) {
      this.#kill();
      throw new Error(`no API server:\n${readFileSync(join(this.#folder, 'log'), 'utf8').slice(-4_000)}`, { cause: error });
    }
  }
}

/** Ports that are free at this moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
