/** Hosts around one shared memory, and tests on them. */
import { closeSync, cpSync, existsSync, ftruncateSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { program } from '../harness/paths.ts';
import { remove, shmFile, tempDir } from '../harness/temp.ts';
import { compiled, GuestFailure, GuestHost, share } from './host.ts';
import { labelArea } from './machine.ts';
import { compiledByGuests } from './steps.ts';

const capacity = 128 << 20;
/** What the namespace takes of the memory for itself, at its beginning. */
const namespaceHeader = 2 << 20;
const testMs = 1_800_000;

/** The memory as a host sees it. */
export const device = '/dev/dax0.0';
/** What commands that write are told: the cluster is everybody's, the locks are the host's own. */
export const places = `--state-dir ${share}/state --host-dir /run/famfs`;

/** One shared memory, a directory that all hosts can write, and the hosts that are on. */
export class Rack {
  /** What hosts see as /tmp/share. */
  readonly share = tempDir('rack');
  readonly memoryFile = shmFile('memory');
  readonly memorySize = capacity + labelArea;
  /** Where the device begins in the memory file, and its bytes. */
  readonly deviceOffset = namespaceHeader;
  readonly deviceSize = capacity - namespaceHeader;
  readonly #hosts = new Set<GuestHost>();
  #crashes: string[] = [];

  constructor() {
    const fd = openSync(this.memoryFile, 'w');
    ftruncateSync(fd, this.memorySize); // sparse: it costs what is written
    closeSync(fd);
    copy(compiledByGuests, join(this.share, compiled));
  }

  /** Switches a host on. */
  async boot(name: string): Promise<GuestHost> {
    const { memoryFile, memorySize, share: directory } = this;
    const host = await GuestHost.boot(name, { memoryFile, memorySize, share: directory });
    this.#hosts.add(host);
    return host;
  }

  /** Two hosts and an empty pool on the memory of both. */
  async bootPair(): Promise<[GuestHost, GuestHost]> {
    const a = await this.boot('a');
    await a.must('ndctl create-namespace -f -e namespace0.0 -m devdax --map=mem');
    // A host finds the namespace when it boots: so the second one only now.
    const [b] = await Promise.all([this.boot('b'), a.must(`${program} mkfs ${device} ${places}`)]);
    return [a, b];
  }

  /** Pulls a host's plug. */
  async powerOff(host: GuestHost): Promise<void> {
    this.#crashes.push(...host.crashes);
    this.#hosts.delete(host);
    await host.powerOff();
  }

  /** What the hosts' kernels said about crashes. */
  get crashes(): string[] {
    return [...this.#crashes, ...[...this.#hosts].flatMap(({ name, crashes }) => crashes.map((line) => `${name}: ${line}`))];
  }

  /** Everything is switched off and removed. */
  async clear(): Promise<void> {
    await Promise.all([...this.#hosts].map((host) => this.powerOff(host)));
    copy(join(this.share, compiled), compiledByGuests);
    remove(dirname(this.memoryFile));
    remove(this.share);
  }
}

/** Copies a directory, where there is one, into another. */
function copy(from: string, to: string): void {
  if (existsSync(from)) cpSync(from, to, { recursive: true });
}

/** A program that another one started, and reports: its kernel is silent where it handles the signal itself. */
const crashReport = /ended by SIG(SEGV|BUS|ILL|TRAP|ABRT)/;

/**
 * A suite whose tests get a new rack each. The emulated processor crashes a program now and then:
 * a test is repeated, up to four times, where a guest's kernel or a program says so or a guest
 * answers no more; what fails otherwise has failed, and so has what crashes each time.
 */
export function describeOnGuests(title: string, tests: Record<string, (rack: Rack) => Promise<void>>): void {
  describe(title, function () {
    this.timeout(testMs);
    let rack: Rack;
    beforeEach(() => {
      rack = new Rack();
    });
    afterEach(() => rack.clear());
    for (const [name, test] of Object.entries(tests)) {
      it(name, async function () {
        try {
          await test(rack);
        } catch (error) {
          const { crashes } = rack;
          const crashed = error instanceof GuestFailure || crashes.length > 0 || crashReport.test((error as Error).message);
          this.retries(crashed ? 4 : 0);
          if (crashed) console.log(`       crashed in a guest: ${(error as Error).message.slice(0, 200)}`);
          if (crashes.length > 0) console.log(crashes.join('\n'));
          throw error;
        }
      });
    }
  });
}
