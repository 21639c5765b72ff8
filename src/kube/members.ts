import { status } from '@grpc/grpc-js';
import type { V1Lease } from '@kubernetes/client-node';
import type { Logger } from 'winston';
import { CsiError } from '../csi/errors.ts';
import type { Member, Members } from '../state/interfaces.ts';
import type { KubeApi } from './client.ts';
import { type LeaseMarks, type LeaseRecord, LeaseRecords, versionOf } from './lease-records.ts';
import { isSign, type MembersPlace, MembersSign } from './members-sign.ts';
import { annotation, type Names, NODE_LABEL, RECORD_ANNOTATION, REPLACES_ANNOTATION } from './names.ts';

/** How much of a name that somebody else wrote is told. */
const TOLD_CHARS = 100;

/**
 * Members: one Lease per pool and host, in a namespace that is theirs alone. No object owns them: a
 * deleted Node still may have its memory mapped. Data planes of earlier versions keep theirs in the
 * release's namespace; whoever reads, reads both places. Why so: docs/proposals/members.md.
 */
export class KubernetesMembers implements Members {
  readonly #records: LeaseRecords<Member>;
  /** Those of earlier versions. */
  readonly #earlier: LeaseRecords<Member>;
  readonly #sign: MembersSign;
  readonly #names: Names;
  readonly #log: Logger;
  /** By Lease: the version of an earlier one that this host's replaces. Looked for once: nobody but this host writes it. */
  readonly #replaced = new Map<string, string | undefined>();
  /** Leases that were reported as nobody's. */
  readonly #reported = new Set<string>();

  constructor(api: KubeApi, place: MembersPlace, names: Names, log: Logger) {
    this.#records = new LeaseRecords(api, place.membersNamespace, names, 'member');
    this.#earlier = new LeaseRecords(api, place.namespace, names, 'member');
    this.#sign = new MembersSign(api, place, names);
    this.#names = names;
    this.#log = log;
  }

  async register(member: Member): Promise<void> {
    const name = this.#names.member(member.pool, member.host);
    // Before the first replay: a controller that does not read this place must not judge from then on.
    if (member.acknowledged === undefined) await this.#sign.read();
    if (!this.#replaced.has(name)) this.#replaced.set(name, (await this.#earlier.get(name))?.version);
    await this.#write(name, member);
  }

  async leave(pool: string, host: string): Promise<void> {
    const name = this.#names.member(pool, host);
    const earlier = await this.#earlier.get(name);
    if (earlier !== undefined) {
      // Only the controller may remove that one, and only if a record of this host asks for it.
      this.#replaced.set(name, earlier.version);
      await this.#write(name, earlier.value);
      throw new CsiError(status.UNAVAILABLE, `Lease ${this.#earlier.namespace}/${name}, of an earlier version, is still to be removed by the controller`);
    }
    await this.#records.delete(name);
  }

  /** Throws CsiError UNAVAILABLE where records may be missing: what is not known for certain gives no memory away. */
  async list(pool?: string): Promise<Member[]> {
    const uid = await this.#sign.read();
    const earlier = await this.#earlier.leases(); // first: records move from there to here
    const present = await this.#records.leases();
    await this.#sign.confirm(uid);
    const members = [
      ...earlier.filter((lease) => !isSign(lease, this.#names)).map((lease) => memberOf(lease, this.#names)),
      ...present.map((lease) => memberOf(lease, this.#names, { isLabelled: true })),
    ];
    return distinct(members.map((found) => (typeof found === 'string' ? this.#nobody(found, pool) : found))
      .filter((member) => pool === undefined || member.pool === pool));
  }

  async release(member: Member): Promise<boolean> {
    const name = this.#names.member(member.pool, member.host);
    const found: { place: LeaseRecords<Member>; record: LeaseRecord<Member> }[] = [];
    for (const place of [this.#earlier, this.#records]) {
      const record = await place.get(name);
      if (record !== undefined) found.push({ place, record });
    }
    if (found.length === 0) return true;
    const same = found.filter(({ record }) => isEqual(record.value, member));
    const deleted = await Promise.all(same.map(({ place, record }) => place.delete(name, record.version)));
    return deleted.length > 0 && deleted.every(Boolean);
  }

  async #write(name: string, member: Member): Promise<void> {
    const replaces = this.#replaced.get(name);
    const marks: LeaseMarks = {
      labels: { [NODE_LABEL]: this.#names.nodeLabel(member.host) },
      annotations: replaces === undefined ? {} : { [REPLACES_ANNOTATION]: replaces },
    };
    if (await this.#records.create(name, member, marks)) return;
    const current = await this.#records.get(name);
    if (current !== undefined && isEqual(current.value, member) && hasMarks(current.lease, marks)) return;
    const done = current === undefined
      ? await this.#records.create(name, member, marks)
      : await this.#records.replace(name, member, current.version, marks);
    if (!done) throw new Error(`the member record of host ${member.host} for pool ${member.pool} keeps changing: another host has the same name`);
  }

  /**
   * What stands for a Lease that no data plane has written so: it was somebody's, and memory waits for
   * it until it is mended or deleted. Its pool is not known either.
   */
  #nobody(what: string, pool = ''): Member {
    if (!this.#reported.has(what)) this.#log.warn('a member record is nobody\'s: memory of every pool waits for it', { record: what });
    this.#reported.add(what);
    return { pool, host: what, bootId: '' };
  }
}

/**
 * The member in a Lease; where name, label and record do not fit together, what is wrong, in words
 * that stand for a host. `isLabelled`: it has to have its node's label.
 */
export function memberOf(lease: V1Lease, names: Names, { isLabelled = false } = {}): Member | string {
  const { name, namespace, labels } = lease.metadata!;
  const value = annotation<Partial<Member>>(lease, RECORD_ANNOTATION);
  const label = labels?.[NODE_LABEL];
  const { pool, host, bootId } = typeof value === 'object' && value !== null ? value : {};
  const fits = typeof pool === 'string' && typeof host === 'string' && typeof bootId === 'string' &&
    name === names.member(pool, host) && (!isLabelled || label === names.nodeLabel(host));
  if (fits) return value as Member;
  const told = host === undefined ? 'no host' : `host ${String(host).slice(0, TOLD_CHARS)}`;
  return `nobody (Lease ${name} in ${namespace}${label === undefined ? '' : ` with the label of node ${label}`} names ${told})`;
}

/**
 * Of the Leases of earlier data planes, those that may go: a new one of the same host stands for it,
 * and names the very version.
 */
export function replacedLeases(earlier: readonly V1Lease[], present: readonly V1Lease[], names: Names): V1Lease[] {
  const replaced = new Map(present
    .filter((lease) => typeof memberOf(lease, names, { isLabelled: true }) !== 'string')
    .map(({ metadata }) => [metadata!.name!, metadata!.annotations?.[REPLACES_ANNOTATION]]));
  return earlier.filter((lease) => replaced.get(lease.metadata!.name!) === versionOf(lease));
}

function hasMarks({ metadata }: V1Lease, { labels, annotations }: LeaseMarks): boolean {
  return metadata?.labels?.[NODE_LABEL] === labels?.[NODE_LABEL] &&
    metadata?.annotations?.[REPLACES_ANNOTATION] === annotations?.[REPLACES_ANNOTATION];
}

function isEqual(a: Member, b: Member): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** A host in both places, with the same record, is one. */
function distinct(members: readonly Member[]): Member[] {
  return [...new Map(members.map((member) => [JSON.stringify(member), member])).values()];
}
