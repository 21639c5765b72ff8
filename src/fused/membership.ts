import type { Logger } from 'winston';
import { messageOf } from '../famfs/errors.ts';
import { countersFile, readTotals } from '../famfs/fuse/host-state/counters-file.ts';
import { servedOrMountedRecords, servedRecords } from '../famfs/fuse/session/session-record.ts';
import { SerialQueue } from '../famfs/serial-queue.ts';
import type { Member, Members } from '../state/interfaces.ts';
import type { PoolMembers } from './sessions.ts';

/** Who this host is to the other users of its pools. */
export interface MembershipOptions {
  readonly members: Members;
  readonly host: string;
  readonly bootId: string;
  /** Where the sessions of this host leave their records. */
  readonly hostDirectory: string;
  readonly log: Logger;
}

/** What the member record of a pool says, and when it was written, in milliseconds. */
interface WrittenRecord {
  readonly acknowledged: string | undefined;
  readonly at: number;
}

/** How often a record is written again though nothing is new: somebody may have removed it by mistake. */
const REWRITE_MS = 60_000;

/**
 * This host as a member of its pools: registers before a pool is used, acknowledges the deletions that
 * all its sessions have passed, and leaves when the last session has ended. What could not be written
 * is written by the next `update`.
 */
export class Membership implements PoolMembers {
  readonly #options: MembershipOptions;
  readonly #written = new Map<string, WrittenRecord>();
  readonly #leaving = new Set<string>();
  /** One after the other: a record must not be removed by what was asked before it was made. */
  readonly #queue = new SerialQueue();
  #problem = '';
  #hasLeftOld = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  register(pool: string): Promise<void> {
    return this.#queue.run('members', async () => {
      this.#leaving.delete(pool);
      this.#written.delete(pool);
      await this.#write(pool, undefined);
    });
  }

  leave(pool: string): Promise<void> {
    this.#leaving.add(pool);
    return this.update();
  }

  /** Writes what is new. To be called again and again; never rejects. */
  update(): Promise<void> {
    return this.#queue.run('members', () => this.#update());
  }

  async #update(): Promise<void> {
    const problems: string[] = [];
    const attempt = (work: () => Promise<void>) => work().catch((error: unknown) => { problems.push(messageOf(error)); });
    await attempt(() => this.#leaveOld());
    // What this host uses is known as a whole or not at all: then nothing is left and nothing acknowledged.
    await attempt(async () => {
      const acknowledged = this.#acknowledged();
      const present = new Set(servedOrMountedRecords(this.#options.hostDirectory).map(({ poolUuid }) => poolUuid));
      for (const pool of this.#leaving) {
        if (!present.has(pool)) await attempt(() => this.#leave(pool)); // or somebody mounted it by hand, or goes on with it
      }
      for (const [pool, change] of acknowledged) {
        const before = this.#written.get(pool);
        const isOld = before === undefined || performance.now() - before.at > REWRITE_MS;
        if (isOld || before.acknowledged !== change) await attempt(() => this.#write(pool, change));
      }
    });
    const problem = [...new Set(problems)].join('; ');
    if (problem !== '' && problem !== this.#problem) this.#options.log.warn('members not told', { problem });
    this.#problem = problem;
  }

  /** Once: marks the pools that this host has not left when it died or booted, as to be left. */
  async #leaveOld(): Promise<void> {
    if (this.#hasLeftOld) return;
    const { members, host } = this.#options;
    const records = (await members.list()).filter((member) => member.host === host);
    for (const { pool } of records) if (!this.#written.has(pool)) this.#leaving.add(pool);
    this.#hasLeftOld = true;
  }

  async #leave(pool: string): Promise<void> {
    this.#written.delete(pool);
    await this.#options.members.leave(pool, this.#options.host);
    this.#leaving.delete(pool);
  }

  async #write(pool: string, acknowledged: string | undefined): Promise<void> {
    const { members, host, bootId } = this.#options;
    const member: Member = { pool, host, bootId, ...(acknowledged === undefined ? {} : { acknowledged }) };
    await members.register(member);
    this.#written.set(pool, { acknowledged, at: performance.now() });
  }

  /** By pool, the change word that all sessions of this host have passed, whoever started them; undefined for none. */
  #acknowledged(): Map<string, string | undefined> {
    const { hostDirectory } = this.#options;
    const passed = new Map<string, bigint>();
    for (const { poolUuid, id } of servedRecords(hostDirectory)) {
      const change = readTotals(countersFile(hostDirectory, id))?.acknowledged ?? 0n;
      const others = passed.get(poolUuid);
      if (others === undefined || change < others) passed.set(poolUuid, change);
    }
    return new Map([...passed].map(([pool, change]) => [pool, change === 0n ? undefined : String(change)]));
  }
}
