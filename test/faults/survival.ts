import assert from 'node:assert/strict';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { countersFile, readTotals } from '../../src/famfs/fuse/host-state/counters-file.ts';
import { findSessions } from '../../src/famfs/fuse/session/session.ts';
import { MIB } from '../../src/famfs/units.ts';
import type { Random } from '../fuzz/random.ts';
import { HeldHost } from '../support/held-host.ts';
import { Host } from '../support/host.ts';
import { PoolFixture } from '../support/pool-fixture.ts';
import { until } from '../support/until.ts';
import { Application } from './application.ts';
import { contentOf } from './survival-client.ts';

const CLIENT = fileURLToPath(new URL('./survival-client.ts', import.meta.url));
const FILE = 8 * MIB;
const EACH = 4;
/** How long a serving process lives at most once it serves. */
const LONGEST_LIFE_MS = 400;

/** How processes are taken from a session: the serving one, or the supervisor, or both. */
export type Blow = 'killed' | 'upgraded' | 'orphaned' | 'swept away';

/** Does it to a session. */
export const blows: Readonly<Record<Blow, (session: { supervisor: number; child: number }) => void>> = {
  killed: ({ child }) => void process.kill(child, 'SIGKILL'),
  upgraded: ({ supervisor }) => void process.kill(supervisor, 'SIGUSR2'),
  orphaned: ({ supervisor }) => void process.kill(supervisor, 'SIGKILL'),
  'swept away': ({ supervisor, child }) => [supervisor, child].forEach((each) => process.kill(each, 'SIGKILL')),
};

/** Whether a session survives it only because somebody else holds it, too. */
const needsFdStore = (blow: Blow) => blow === 'orphaned' || blow === 'swept away';

/** What applications saw of it. */
export interface Survived {
  readonly operations: number;
  readonly longestMs: number;
  /** Most blows in a row that struck before the next process had answered anything: an operation waits for all of them. */
  readonly longestRow: number;
}

/**
 * Four readers and four writers work on a mount while processes of it are taken away, that many
 * times. Throws AssertionError when one of them gets an error, or other bytes than were written.
 */
export async function survive(blow: Blow, times: number, random: Random): Promise<Survived> {
  const pool = await PoolFixture.make(256 * MIB);
  const roles = Array.from({ length: 2 * EACH }, (_, k) => ({ role: k % 2 === 0 ? 'reader' : 'writer', name: `v${k}`, seed: random.below(2 ** 30) }));
  for (const { name, seed } of roles) {
    pool.volume(name, FILE);
    const content = contentOf(FILE, seed);
    pool.pool.write(pool.node(`${name}/data`), 0, content);
  }
  const host = await (needsFdStore(blow) ? HeldHost.mount(pool) : Host.mount(pool.path, { output: fs.openSync('/dev/null', 'w') }));
  const clients: Application[] = [];
  const row = new Row();
  try {
    for (const { role, name, seed } of roles) clients.push(await Application.start(CLIENT, role, host.path(`${name}/data`), String(seed)));
    for (let time = 1; time <= times; time++) {
      const { record } = serving(host);
      await sleep(random.below(LONGEST_LIFE_MS));
      row.strike(answered(host, record.id));
      blows[blow]({ supervisor: record.pid, child: record.child.pid });
      await until(() => assert.notEqual(serving(host).record.child.pid, record.child.pid));
      if (needsFdStore(blow)) await until(() => assert.notEqual(serving(host).record.pid, record.pid));
      await until(() => assert.equal(readTotals(countersFile(host.hostDirectory, record.id))!.restarts, time));
    }
    const sums = await Promise.all(clients.map((client) => client.end()));
    for (const [k, { errors, mismatches, operations }] of sums.entries()) {
      assert.deepEqual([errors, mismatches], [[], []], `${roles[k]!.role} ${k}`);
      assert(operations > times, `${roles[k]!.role} ${k} did little`);
    }
    return { operations: sums.reduce((total, { operations }) => total + operations, 0), longestMs: Math.max(...sums.map(({ longestMs }) => longestMs)), longestRow: row.longest };
  } finally {
    for (const client of clients) client.kill();
    await host.end();
    pool.close();
  }
}

/** Blows between which no request was answered. */
class Row {
  longest = 0;
  #length = 0;
  #answered = 0;

  strike(answered: number): void {
    this.#length = answered === this.#answered ? this.#length + 1 : 1;
    this.#answered = answered;
    this.longest = Math.max(this.longest, this.#length);
  }
}

/** Requests that processes of the session have answered so far. */
function answered({ hostDirectory }: Pick<Host, 'hostDirectory'>, id: string): number {
  return readTotals(countersFile(hostDirectory, id))!.operations.reduce((sum, each) => sum + each, 0);
}

/** The session, as its record tells it. */
function serving({ hostDirectory }: Pick<Host, 'hostDirectory'>) {
  const [session] = findSessions(hostDirectory);
  assert(session !== undefined, 'the session is over');
  return session;
}
