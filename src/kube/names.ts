import { createHash } from 'node:crypto';
import type { V1Lease } from '@kubernetes/client-node';

/** What our Leases are for, as their label says. */
export type RecordKind = 'controller' | 'attachment' | 'member' | 'pool';

/** The label that says what a Lease is for. */
export const KIND_LABEL = 'famfs.io/kind';
/** The annotation that holds an attach record or a member, as JSON. */
export const RECORD_ANNOTATION = 'famfs.io/record';
/** The label of a member's Lease that names its node: the chart's admission policy compares it with the token's node. */
export const NODE_LABEL = 'famfs.io/node';
/** Of a member's Lease: UID and version of the Lease of an earlier version's data plane that it replaces. */
export const REPLACES_ANNOTATION = 'famfs.io/replaces';
/** Of the sign (see `MembersSign`): the namespace that holds the members' Leases, and its UID, as JSON. */
export const MEMBERS_ANNOTATION = 'famfs.io/members';
/** The annotation that holds the epochs of all pools, as JSON. */
export const EPOCHS_ANNOTATION = 'famfs.io/epochs';
/** The annotation that tells a holder's processes apart. */
export const PROCESS_ANNOTATION = 'famfs.io/process';

/**
 * Names of what one release keeps in Kubernetes. What comes from outside (volume handles, hosts)
 * stands in them as a hash, so that none is too long: a driver's name has up to 63 characters.
 */
export class Names {
  readonly driver: string;

  constructor(driver: string) {
    this.driver = driver;
  }

  get controllerLease(): string {
    return this.#lease('controller');
  }

  attachment(directory: string): string {
    return this.#lease(`attach-${hash(directory, 20)}`);
  }

  member(pool: string, host: string): string {
    return this.#lease(`member-${pool}-${hash(host, 10)}`);
  }

  /** What a pool of the configuration is; its name has at most 63 characters. */
  pool(name: string): string {
    return this.#lease(`pool-${name}`);
  }

  /** The Lease that tells where members are. It must never be a member's: those have a pool's UUID there. */
  get membersSign(): string {
    return this.#lease('members-moved');
  }

  /** The label of a node's name: as much of it as a label may have. The chart's policy has the same expression. */
  nodeLabel(host: string): string {
    return /^.{0,62}[a-z0-9]/.exec(host)?.[0] ?? '';
  }

  labels(kind: RecordKind): Record<string, string> {
    return { 'app.kubernetes.io/managed-by': 'famfs-csi', 'famfs.io/driver': this.driver, [KIND_LABEL]: kind };
  }

  /** Selects our Leases, of one kind or of all. */
  selector(kind?: RecordKind): string {
    const ours = `app.kubernetes.io/managed-by=famfs-csi,famfs.io/driver=${this.driver}`;
    return kind === undefined ? ours : `${ours},${KIND_LABEL}=${kind}`;
  }

  /** The taint that keeps pods from a node whose node plugin is not there yet. */
  get startupTaint(): string {
    return `${this.driver}/agent-not-ready`;
  }

  /** Beginning of the node labels, and topology keys, that name the pools a node reaches. */
  get poolLabel(): string {
    return `${this.driver}/pool-`;
  }

  #lease(name: string): string {
    return `${this.driver}-${name}`.toLowerCase();
  }
}

/** The namespace of the members' Leases of a release, where none is named. */
export function defaultMembersNamespace(namespace: string): string {
  return `${namespace.slice(0, 55).replace(/-+$/, '')}-members`;
}

/** The JSON of an annotation, or undefined where there is none, or none that can be read. */
export function annotation<Value>(object: Pick<V1Lease, 'metadata'>, key: string): Value | undefined {
  const text = object.metadata?.annotations?.[key];
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Value;
  } catch {
    return undefined;
  }
}

function hash(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}
