import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { program } from '../harness/paths.ts';

/** In a pid namespace, with a /proc of its own that nobody else sees; mounts go both ways. */
const ENTER = 'mount --make-private /proc && mount -t proc proc /proc && exec "$@"';

/**
 * A role of `famfs-csi` as in a container: its processes have pids of their own, and all of them end
 * with the first.
 */
export class Container {
  readonly #child: ChildProcess;
  /** What it said. */
  log = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (data: Buffer) => { this.log += data.toString(); });
  }

  static start(role: string, ...options: string[]): Container {
    const isolate = ['--pid', '--fork', '--kill-child=SIGKILL', '--mount', '--propagation', 'unchanged'];
    return new Container(spawn('unshare', [...isolate, 'sh', '-c', ENTER, 'sh', program, role, ...options], { stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  /** Ends all its processes, without a word to them. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Asks its first process to end, as the kubelet does; resolves when all of them have. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    process.kill(this.#first, signal);
    await ended;
  }

  /** Its first process, as the machine numbers it. */
  get #first(): number {
    const { pid } = this.#child;
    return Number(fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
  }
}

/** Makes a directory one whose mounts containers share, until the function that it answers is called. */
export function shareMounts(directory: string): () => void {
  execFileSync('mount', ['--bind', directory, directory]);
  execFileSync('mount', ['--make-shared', directory]);
  return () => void execFileSync('umount', ['-l', directory]);
}
