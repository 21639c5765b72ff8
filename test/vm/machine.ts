/**
 * One virtual machine with a real /dev/dax device on a file of shared memory. Its root is this
 * machine's own, read-only, so it runs the checkout and its Node.js as they are. Several machines
 * on one memory file are several hosts on one shared memory.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../harness/prerequisites.ts';
import { remove, tempDir } from '../harness/temp.ts';
import { untilSo } from '../support/until.ts';
import { buildInitramfs } from './initramfs.ts';
import { findKernel } from './kernel.ts';

/** What a machine is built of. */
export interface MachineOptions {
  /** The shared memory: a file on tmpfs, made by the caller, of `memorySize` bytes. */
  readonly memoryFile: string;
  readonly memorySize: number;
  /** Run by bash as root in the guest, which is switched off when it ends. */
  readonly script: string;
  /** A directory of this machine that the guest can mount as virtiofs `share`, and write. */
  readonly share?: string;
}

/** Bytes of a memory file that the label area takes. */
export const labelArea = 2 << 20;

/** A guest from power-on to power-off. */
export class Machine {
  /** A second serial line of the guest, as a unix socket: /dev/ttyS1 there. */
  readonly serialLine: string;
  readonly #work = tempDir('vm');
  readonly #log: number;
  readonly #started: ChildProcess[] = [];
  #off: Promise<void> | undefined;

  /** Switches a machine on; resolves when it runs, before it has booted. */
  static async start(options: MachineOptions): Promise<Machine> {
    const machine = new Machine();
    try {
      await machine.#boot(options);
      return machine;
    } catch (error) {
      await machine.powerOff();
      throw error;
    }
  }

  private constructor() {
    this.serialLine = join(this.#work, 'serial.sock');
    this.#log = openSync(join(this.#work, 'host.log'), 'a');
  }

  /** Resolves when the guest is off, by itself or by anybody. */
  get ended(): Promise<void> {
    return ended(this.#started.at(-1)!);
  }

  /** What the guest's console has shown. */
  get console(): string {
    return this.#read('console').replaceAll('\r', '');
  }

  /** What the emulator and the servers of the guest's file systems said. */
  get hostLog(): string {
    return this.#read('host.log');
  }

  /** At once, as when the plug is pulled. What the machine said is gone with it. Once is enough. */
  powerOff(): Promise<void> {
    return this.#off ??= this.#end();
  }

  async #end(): Promise<void> {
    for (const child of this.#started.toReversed()) {
      child.kill('SIGKILL');
      await ended(child);
    }
    closeSync(this.#log);
    remove(this.#work);
  }

  async #boot({ memoryFile, memorySize, script, share }: MachineOptions): Promise<void> {
    const kernel = findKernel();
    if (!kernel) throw new Error('no guest kernel in the cache');
    const initramfs = buildInitramfs(kernel, script, this.#work);
    // The guest only reads its root, and nobody else changes it: what it has read stays valid.
    const directories = [await this.#serve('rootfs', '/', 'always')];
    if (share !== undefined) directories.push(await this.#serve('share', share, 'none'));
    this.#start('qemu-system-x86_64', [
      ...['-machine', 'q35,nvdimm=on', '-accel', 'tcg,thread=single', '-smp', '2'],
      // One thread for both processors: with two, Node.js crashes more often in guests; it writes code on one that runs on the other.
      // The emulation of cmpxchg16b crashes guest kernels at random, so they must not see it; and V8, whose
      // crashes are in what it keeps of its code's pages, needs no protection keys for them.
      ...['-cpu', 'max,-cx16,-pku', '-m', '2G,slots=2,maxmem=8G'],
      // virtio-fs reads and writes the guest's memory from its own process.
      ...['-object', 'memory-backend-memfd,id=mem,size=2G,share=on', '-numa', 'node,memdev=mem'],
      ...['-object', `memory-backend-file,id=nv,share=on,mem-path=${memoryFile},size=${memorySize}`],
      ...['-device', `nvdimm,id=nv0,memdev=nv,label-size=${labelArea}`],
      ...['-kernel', kernel.image, '-initrd', initramfs],
      ...['-append', 'console=ttyS0 quiet panic=-1'],
      ...directories.flat(),
      ...['-display', 'none', '-monitor', 'none', '-no-reboot', '-nic', 'none'],
      ...['-serial', `file:${join(this.#work, 'console')}`],
      ...['-serial', `unix:${this.serialLine},server=on,wait=off`],
    ]);
  }

  /** Serves a directory to the guest; answers the emulator's arguments for it. */
  async #serve(tag: string, directory: string, cache: 'always' | 'none'): Promise<string[]> {
    const socket = join(this.#work, `${tag}.sock`);
    // virtiofsd leaves a file in /run, which not every user may write: give it an empty one.
    this.#start('unshare', [
      ...['--mount', '--propagation', 'private', 'sh', '-c'],
      'mount -t tmpfs tmpfs /run && exec "$0" "$@"',
      findProgram('virtiofsd') ?? 'virtiofsd',
      `--socket-path=${socket}`,
      ...['-o', `source=${directory}`, '-o', `cache=${cache}`, '-o', 'sandbox=chroot'],
    ]);
    const server = this.#started.at(-1)!;
    await untilSo(`the guest's ${tag} is served`, () => existsSync(socket), {
      everyMs: 50, hopeless: () => (server.exitCode === null ? undefined : 'its server has ended'), describe: () => this.hostLog,
    });
    return ['-chardev', `socket,id=${tag},path=${socket}`, '-device', `vhost-user-fs-pci,chardev=${tag},tag=${tag}`];
  }

  #start(program: string, args: string[]): void {
    this.#started.push(spawn(findProgram(program) ?? program, args, { stdio: ['ignore', this.#log, this.#log] }));
  }

  #read(name: string): string {
    const file = join(this.#work, name);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  await new Promise<void>((resolve) => child.once('exit', () => resolve()));
}
