/** A guest that stays on and does what it is told, one command after the other: a host. */
import net from 'node:net';
import readline from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { existsSync } from 'node:fs';
import { root } from '../harness/paths.ts';
import { until } from '../support/until.ts';
import { Machine, type MachineOptions } from './machine.ts';
import { compileCache } from './steps.ts';

/** A command may take so long in the guest; everything is some twenty times slower there. */
const commandS = 300;
const answerMs = (commandS + 30) * 1000;
const bootMs = 300_000;

/** In that directory: what Node.js has compiled. */
export const compiled = 'compiled';

/** Where hosts see the directory that they share. */
export const share = '/tmp/share';

/** Node.js on a host, as in the checkout. */
export const node = `${root}/node_modules/.bin/node`;

/** Reads commands from the serial line and answers each in one line; base64 keeps both ways clean. */
const agent = `
${compileCache(`${share}/${compiled}`)}
mkdir ${share} && mount -t virtiofs share ${share}
dmesg -n 7 # programs that crash are named on the console from here on
exec 3<> /dev/ttyS1
stty -F /dev/ttyS1 raw -echo
echo ready >&3
while read -r -u 3 number command; do
  base64 -d <<< "$command" > /tmp/command
  timeout -k 1 ${commandS} bash /tmp/command < /dev/null > /tmp/output 2>&1 3>&-; code=$?
  echo "$number $code $(base64 -w 0 /tmp/output)" >&3
done`;

/** What the kernel says of programs, and of itself, that the emulated processor has led astray. */
const crash = /segfault at|traps: |general protection|double fault|Kernel panic|Oops|BUG: /;

/** Exit codes of programs that ended by SIGILL, SIGTRAP, SIGABRT or SIGSEGV. */
export const crashCodes = [132, 133, 134, 139];

/** The emulator has failed, not what was tested on it. */
export class GuestFailure extends Error {}

/** What came of a command. */
export interface Outcome {
  readonly code: number;
  /** Both streams. */
  readonly output: string;
}

/** A host of a shared memory. */
export class GuestHost {
  readonly name: string;
  readonly #machine: Machine;
  readonly #socket: net.Socket;
  readonly #lines: AsyncIterator<string>;
  #commands = 0;
  #isOff = false;

  /** Switches a host on; resolves when it takes commands. Rejects with GuestFailure. */
  static async boot(name: string, options: Omit<MachineOptions, 'script'>): Promise<GuestHost> {
    const machine = await Machine.start({ ...options, script: agent });
    try {
      // The line must be connected before the guest speaks: what nobody hears is lost.
      await until(() => {
        if (!existsSync(machine.serialLine)) throw new GuestFailure(`${name} has no serial line: ${machine.hostLog}`);
      });
      const host = new GuestHost(name, machine, net.connect(machine.serialLine));
      const first = await host.#line(bootMs);
      if (first !== 'ready') throw new GuestFailure(`${name} says ${JSON.stringify(first)} instead of being ready`);
      return host;
    } catch (error) {
      await machine.powerOff();
      throw error;
    }
  }

  private constructor(name: string, machine: Machine, socket: net.Socket) {
    this.name = name;
    this.#machine = machine;
    this.#socket = socket;
    socket.on('error', () => {}); // the line's end is told by #line
    this.#lines = readline.createInterface(socket)[Symbol.asyncIterator]();
  }

  /** Runs a command of bash to its end. Rejects with GuestFailure when the guest does not answer, or its program has crashed. */
  async run(command: string): Promise<Outcome> {
    const number = String(++this.#commands);
    this.#socket.write(`${number} ${Buffer.from(command).toString('base64')}\n`);
    const line = await this.#line(answerMs);
    const [answered, code, output = ''] = line.split(' ');
    if (answered !== number) throw new GuestFailure(`${this.name} answers ${JSON.stringify(line)} to command ${number}`);
    const outcome = { code: Number(code), output: Buffer.from(output, 'base64').toString().trim() };
    if (crashCodes.includes(outcome.code)) throw new GuestFailure(`${this.name}: crash ${code} of\n${command}\n${outcome.output}`);
    return outcome;
  }

  /** Runs a command that must succeed; returns what it printed. */
  async must(command: string): Promise<string> {
    const { code, output } = await this.run(command);
    if (code !== 0) throw new Error(`${this.name}: exit code ${code} of\n${command}\n${output}`);
    return output;
  }

  /** The lines of the console that tell of a crash. */
  get crashes(): string[] {
    return this.#isOff ? [] : this.#machine.console.split('\n').filter((line) => crash.test(line));
  }

  /** At once, as when the plug is pulled. */
  async powerOff(): Promise<void> {
    this.#isOff = true;
    await this.#machine.powerOff();
    this.#socket.destroy();
  }

  async #line(limitMs: number): Promise<string> {
    const line = await Promise.race([this.#lines.next(), sleep(limitMs, undefined, { ref: false })]);
    if (line === undefined || line.done) {
      const why = line === undefined ? `does not answer within ${limitMs / 1000} s` : 'has gone off';
      throw new GuestFailure(`${this.name} ${why}; its console:\n${this.#machine.console.slice(-4000)}${this.#machine.hostLog}`);
    }
    return line.value;
  }
}
