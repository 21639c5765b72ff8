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

  /** Lets its first process do nothing, while the others go on. */
  pause(): void {
    process.kill(this.#first, 'SIGSTOP');
  }

  /** Ends one of its processes, by the pid that it has there. */
  killOne(pid: number): void {
    const space = namespaceOf(this.#first);
    const found = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)
      .find((each) => innermostPid(each) === pid && namespaceOf(each) === space);
    process.kill(found!, 'SIGKILL');
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

/** Undefined where the process is gone. */
function namespaceOf(pid: number): string | undefined {
  try {
    return fs.readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

function innermostPid(pid: number): number | undefined {
  try {
    return Number(/^NSpid:.*\t(\d+)$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
  } catch {
    return undefined;
  }
}

/** Makes a directory one whose mounts containers share, until the function that it answers is called. */
export function shareMounts(directory: string): () => void {
  execFileSync('mount', ['--bind', directory, directory]);
  execFileSync('mount', ['--make-shared', directory]);
  return () => void execFileSync('umount', ['-l', directory]);
}
