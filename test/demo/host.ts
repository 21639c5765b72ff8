/**
 * A pretended host: a mount namespace of its own, in which the driver's node roles and the
 * applications run. What one host mounts, the other does not see.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createWriteStream, existsSync, readFileSync, readlinkSync } from 'node:fs';
import { untilSo } from '../support/until.ts';

/** How long a role may take to end. */
const limitMs = 180_000;

/** A running program of the driver. */
export interface Role {
  name: string;
  child: ChildProcess;
  logFile: string;
}

/** Starts a role of `famfs-csi`; its log goes to a file. `prefix` runs it in another namespace. */
export function startRole(name: string, prefix: string[], command: string[], logFile: string): Role {
  const [program, ...args] = [...prefix, ...command];
  // Detached: a Ctrl-C is for the caller, who ends its roles in order.
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const log = createWriteStream(logFile);
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  child.once('close', () => log.end());
  return { name, child, logFile };
}

/** Waits for the socket that a role serves; fails with its log when it ends instead. */
export async function untilServing(role: Role, socket: string): Promise<void> {
  await untilSo(`${role.name} serves ${socket}`, () => existsSync(socket), {
    everyMs: 20, hopeless: () => (hasEnded(role.child) ? `${role.name} has ended` : undefined), describe: () => `its log:\n${logOf(role)}`,
  });
}

/** Asks a role to end and waits for it; says how it ended when that was not cleanly. */
export async function stopRole(role: Role): Promise<string | undefined> {
  const { child, name } = role;
  if (!hasEnded(child)) child.kill('SIGTERM');
  const forced = setTimeout(() => child.kill('SIGKILL'), limitMs);
  await ended(child);
  clearTimeout(forced);
  if (child.exitCode === 0) return undefined;
  return `${name} ended with ${child.signalCode ?? `exit code ${child.exitCode}`}; its log:\n${logOf(role)}`;
}

function logOf(role: Role): string {
  return existsSync(role.logFile) ? readFileSync(role.logFile, 'utf8') : '';
}

async function ended(child: ChildProcess): Promise<void> {
  if (!hasEnded(child)) await new Promise<void>((resolve) => child.once('exit', () => resolve()));
}

/** Whether a process is over. */
export function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** A mount namespace, kept by a process that only sleeps. */
export class Host {
  readonly name: string;
  readonly #keeper: ChildProcess;

  private constructor(name: string, keeper: ChildProcess) {
    this.name = name;
    this.#keeper = keeper;
  }

  static async boot(name: string): Promise<Host> {
    const isolate = ['--mount', '--propagation', 'private', 'sleep', 'infinity'];
    const keeper = spawn('unshare', isolate, { stdio: 'ignore', detached: true });
    const own = readlinkSync('/proc/self/ns/mnt');
    const place = `/proc/${keeper.pid}/ns/mnt`;
    await untilSo('a mount namespace', () => readlinkSync(place) !== own, {
      everyMs: 5, hopeless: () => (hasEnded(keeper) ? 'no mount namespace can be made here' : undefined),
    });
    return new Host(name, keeper);
  }

  /** Put before a command, this runs it on the host. */
  get prefix(): string[] {
    return ['nsenter', `--mount=/proc/${this.#keeper.pid}/ns/mnt`];
  }

  /** The host's root directory: below it are its files, as it has mounted them. */
  get root(): string {
    return `/proc/${this.#keeper.pid}/root`;
  }

  /** Runs a program on the host to its end. */
  run(command: string[]): { code: number | null; output: string; problem: string } {
    const [program, ...args] = [...this.prefix, ...command];
    const result = spawnSync(program, args, { encoding: 'utf8', timeout: limitMs });
    return { code: result.status, output: result.stdout, problem: result.stderr.trim() };
  }

  /** Mount points below a directory, as the host sees them. */
  mountsBelow(directory: string): string[] {
    const table = readFileSync(`/proc/${this.#keeper.pid}/mountinfo`, 'utf8');
    const points = table.split('\n').map((line) => line.split(' ')[4] ?? '');
    return points.filter((point) => point.startsWith(`${directory}/`));
  }

  shutDown(): void {
    this.#keeper.kill('SIGKILL');
  }
}
