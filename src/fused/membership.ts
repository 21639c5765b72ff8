import type { Logger } from 'winston';
import { countersFile, readTotals } from '../famfs/fuse/host-state/counters-file.ts';
import { servedOrMountedRecords, servedRecords } from '../famfs/fuse/session/session-record.ts';
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

/** What was told of a pool, and when, in milliseconds. */
interface Told {
  readonly acknowledged: string | undefined;
  readonly at: number;
}

/** A record that somebody removed by mistake is made again after so long, though there is nothing new to tell. */
const AGAIN_MS = 60_000;

/**
 * This host as a member of its pools: registers before a pool is used, says which deletions the
 * sessions have let go of, and leaves when the last one has ended. What could not be told is told
 * again by the next `tick`.
 */
export class Membership implements PoolMembers {
  readonly #options: MembershipOptions;
  readonly #told = new Map<string, Told>();
  readonly #leaving = new Set<string>();
  /** One after the other: a record must not be removed by what was asked before it was made. */
  #turn: Promise<void> = Promise.resolve();
  #problem = '';
  #foundOld = false;

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  register(pool: string): Promise<void> {
    return this.#inTurn(async () => {
      this.#leaving.delete(pool);
      this.#told.delete(pool);
      await this.#tell(pool, undefined);
    });
  }

  leave(pool: string): Promise<void> {
    this.#leaving.add(pool);
    return this.tick();
  }

  /** Tells what is new. To be called again and again; never rejects. */
  tick(): Promise<void> {
    return this.#inTurn(() => this.#tick());
  }

  async #tick(): Promise<void> {
    const problems: string[] = [];
    const attempt = (work: () => Promise<void>) => work().catch((error: Error) => void problems.push(error.message));
    await attempt(() => this.#findOld());
    const acknowledged = this.#acknowledged();
    const present = new Set(servedOrMountedRecords(this.#options.hostDirectory).map(({ poolUuid }) => poolUuid));
    for (const pool of this.#leaving) {
      if (present.has(pool)) continue; // somebody mounted it by hand, or goes on with it
      await attempt(async () => {
        this.#told.delete(pool);
        await this.#options.members.leave(pool, this.#options.host);
        this.#leaving.delete(pool);
      });
    }
    for (const [pool, change] of acknowledged) {
      const before = this.#told.get(pool);
      const isOld = before === undefined || performance.now() - before.at > AGAIN_MS;
      if (isOld || before.acknowledged !== change) await attempt(() => this.#tell(pool, change));
    }
    const problem = [...new Set(problems)].join('; ');
    if (problem !== '' && problem !== this.#problem) this.#options.log.warn('members not told', { problem });
    this.#problem = problem;
  }

  /** Once: leaves what an earlier life of this host has not left, be it before it booted or by a death. */
  async #findOld(): Promise<void> {
    if (this.#foundOld) return;
    const { members, host } = this.#options;
    const records = (await members.list()).filter((member) => member.host === host);
    for (const { pool } of records) if (!this.#told.has(pool)) this.#leaving.add(pool);
    this.#foundOld = true;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #tell(pool: string, acknowledged: string | undefined): Promise<void> {
    const { members, host, bootId } = this.#options;
    const member: Member = { pool, host, bootId, ...(acknowledged === undefined ? {} : { acknowledged }) };
    await members.register(member);
    this.#told.set(pool, { acknowledged, at: performance.now() });
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
