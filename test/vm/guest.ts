/**
 * One QEMU guest with a real /dev/dax device on a file of shared memory. Its root is this
 * machine's own, read-only, so it runs the checkout and its Node.js as they are. Several guests on
 * one memory file are several hosts on one shared memory.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, openSync, closeSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { findProgram } from '../harness/prerequisites.ts';
import { remove, tempDir } from '../harness/temp.ts';
import { buildInitramfs, Marker } from './initramfs.ts';
import { findKernel } from './kernel.ts';

/** What a guest is to do. */
export interface GuestTask {
  /** The shared memory: a file on tmpfs, made by the caller, of `memorySize` bytes. */
  memoryFile: string;
  memorySize: number;
  /** Run by bash as root in the guest. */
  script: string;
  /** The guest is switched off after this long. */
  limitMs: number;
}

/** What came of it. */
export interface GuestResult {
  /** The script's; undefined when the guest ended without saying so (a panic, the time limit). */
  exitCode: number | undefined;
  /** What the script printed, both streams. */
  output: string;
  /** Everything on the console, the kernel's messages included. */
  console: string;
}

/** Bytes of a memory file that the label area takes. */
export const labelArea = 2 << 20;

/** Boots a guest, runs the script, switches the guest off. */
export async function runInGuest(task: GuestTask): Promise<GuestResult> {
  const kernel = findKernel();
  if (!kernel) throw new Error('no guest kernel in the cache');
  const work = tempDir('vm');
  const socket = join(work, 'root.sock');
  const consoleFile = join(work, 'console');
  const initramfs = buildInitramfs(kernel, task.script, work);
  const log = openSync(join(work, 'host.log'), 'a');
  const started: ChildProcess[] = [];
  const start = (program: string, args: string[]): ChildProcess => {
    const child = spawn(findProgram(program) ?? program, args, { stdio: ['ignore', log, log] });
    started.push(child);
    return child;
  };
  try {
    // The guest only reads its root, and nobody else changes it: what it has read stays valid.
    // virtiofsd leaves a file in /run, which not every user may write: give it an empty one.
    start('unshare', [
      ...['--mount', '--propagation', 'private', 'sh', '-c'],
      'mount -t tmpfs tmpfs /run && exec "$0" "$@"',
      findProgram('virtiofsd') ?? 'virtiofsd',
      `--socket-path=${socket}`,
      ...['-o', 'source=/', '-o', 'cache=always', '-o', 'sandbox=chroot'],
    ]);
    await until(() => existsSync(socket), 10_000, () => readFileSync(join(work, 'host.log'), 'utf8'));
    const guest = start('qemu-system-x86_64', [
      ...machine(task),
      ...['-kernel', kernel.image, '-initrd', initramfs],
      ...['-append', 'console=ttyS0 quiet panic=-1'],
      ...['-chardev', `socket,id=root,path=${socket}`],
      ...['-device', 'vhost-user-fs-pci,chardev=root,tag=rootfs'],
      ...['-display', 'none', '-serial', `file:${consoleFile}`, '-monitor', 'none'],
    ]);
    await Promise.race([ended(guest), sleep(task.limitMs, undefined, { ref: false })]);
    const text = existsSync(consoleFile) ? readFileSync(consoleFile, 'utf8').replaceAll('\r', '') : '';
    const hostLog = readFileSync(join(work, 'host.log'), 'utf8');
    return { ...parseConsole(text), console: text + hostLog };
  } finally {
    for (const child of started.reverse()) {
      child.kill('SIGKILL');
      await ended(child);
    }
    closeSync(log);
    remove(work);
  }
}

function machine({ memoryFile, memorySize }: GuestTask): string[] {
  return [
    ...['-machine', 'q35,nvdimm=on', '-accel', 'tcg,thread=multi', '-smp', '2'],
    // The emulation of cmpxchg16b crashes guest kernels at random, so they must not see it.
    ...['-cpu', 'max,-cx16', '-m', '2G,slots=2,maxmem=8G'],
    // virtio-fs reads and writes the guest's memory from its own process.
    ...['-object', 'memory-backend-memfd,id=mem,size=2G,share=on', '-numa', 'node,memdev=mem'],
    ...['-object', `memory-backend-file,id=nv,share=on,mem-path=${memoryFile},size=${memorySize}`],
    ...['-device', `nvdimm,id=nv0,memdev=nv,label-size=${labelArea}`],
    ...['-no-reboot', '-nic', 'none'],
  ];
}

/** A guest that panics ends QEMU with exit code 0: only the markers tell what happened. */
export function parseConsole(text: string): { exitCode: number | undefined; output: string } {
  const lines = text.split('\n');
  const begin = lines.indexOf(Marker.Begin);
  if (begin < 0) return { exitCode: undefined, output: '' };
  const end = lines.findIndex((line) => line.startsWith(`${Marker.End} `));
  const output = lines.slice(begin + 1, end < 0 ? undefined : end).join('\n');
  return { exitCode: end < 0 ? undefined : Number(lines[end].split(' ')[1]), output };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  await new Promise<void>((resolve) => child.once('exit', () => resolve()));
}

async function until(ready: () => boolean, limitMs: number, why: () => string): Promise<void> {
  for (const start = Date.now(); !ready(); await sleep(50)) {
    if (Date.now() - start > limitMs) throw new Error(`the guest's root is not served: ${why()}`);
  }
}
