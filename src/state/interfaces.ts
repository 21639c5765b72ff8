import type { AccessMode } from '../csi/capabilities.ts';

/**
 * What the controllers and hosts of one cluster agree on outside the shared memory. Small on
 * purpose: a state directory and Kubernetes are two implementations of the same interfaces.
 */

/** The right to be the one controller, together with the ruling claim of each pool. */
export interface Lease {
  /** Highest epoch of all pools: grows with every controller that had a claim. */
  readonly epoch: number;
  /** Highest writer epoch ever used on that pool under this lease; a new claim must be above it. */
  epochOf(pool: string): number;
  /** Aborts when the lease is held no longer; its reason says why. */
  readonly lost: AbortSignal;
  /**
   * Throws unless the lease is held at this very moment, by this host's clock: asked before every
   * append, since a process that was paused acts before its timers do.
   */
  mustHold(): void;
  /** Remembers, before anything is acknowledged under it, that this epoch of a pool is in use. */
  raise(pool: string, epoch: number): Promise<void>;
  /** Gives the lease back. Not a loss. */
  release(): Promise<void>;
}

/** One node that a directory is attached to by one handle. */
export interface Attachment {
  /** The whole handle. */
  readonly volume: string;
  readonly node: string;
  readonly mode: AccessMode;
  readonly readonly: boolean;
}

/** Where a directory is attached, by all its handles: one record, since the rules are about all of them. No record means nowhere. */
export interface AttachRecord {
  /** The directory's handle, which has no suffix. */
  readonly directory: string;
  readonly attachments: readonly Attachment[];
  /** Epoch of the controller that wrote the record. */
  readonly epoch: number;
}

/** A record with what `replace` needs to notice that someone else changed it meanwhile. */
export interface Versioned<Value> {
  readonly value: Value;
  readonly version: string;
}

/** The attach records of all directories. */
export interface Attachments {
  /** By the directory's handle. */
  get(directory: string): Promise<Versioned<AttachRecord> | undefined>;
  /**
   * Replaces a record if it still has this version (undefined: if there is none); without
   * attachments the record goes. False when somebody else was faster: read again and decide again.
   */
  replace(record: AttachRecord, version: string | undefined): Promise<boolean>;
  list(): Promise<AttachRecord[]>;
}

/** A host that has a pool mounted, or may still have it mounted. */
export interface Member {
  readonly pool: string;
  readonly host: string;
  /** Changes whenever the host boots: what it had mapped before is gone then. */
  readonly bootId: string;
  /** The change word that the host has passed, in decimal: it uses nothing deleted before. None: it may use all. */
  readonly acknowledged?: string;
}

/** The hosts that must acknowledge a deletion before the file's memory may be used again. */
export interface Members {
  /** Makes or replaces a host's record: before its first replay of the pool, and with each acknowledgement. */
  register(member: Member): Promise<void>;
  /** After the host's last use of the pool. */
  leave(pool: string, host: string): Promise<void>;
  /** Of one pool, or of all. */
  list(pool?: string): Promise<Member[]>;
  /** Removes the record of a host that cannot leave any more, unless it has changed. */
  release(member: Member): Promise<boolean>;
}

/** Which file system a name of the configuration is. */
export interface PoolName {
  readonly name: string;
  readonly uuid: string;
}

/**
 * What the names of the configuration have been so far. Device names are hints, and an empty device tells nothing: so
 * the cluster remembers. Only the holder of the lease writes.
 */
export interface PoolNames {
  list(): Promise<PoolName[]>;
  /** Makes or replaces what a name is. */
  put(record: PoolName): Promise<void>;
  /** For a name that is configured no longer. */
  forget(name: string): Promise<void>;
}

/** The volumes that the cluster has objects for. */
export interface PersistentVolumes {
  /** The handles of all of them. */
  handles(): Promise<string[]>;
}

/** What is known of hosts by others than themselves. */
export interface Hosts {
  /**
   * Why a host has surely ended all that it ran in a boot, or undefined. A host that is only silent,
   * or whose object somebody deleted, may be running still.
   */
  whyGone(host: string, bootId: string): Promise<string | undefined>;
}

/** A node that volumes can be attached to. */
export interface NodeRecord {
  readonly node: string;
  readonly pools: readonly string[];
}

/** Something about a pool that the people who run it should hear of. */
export interface PoolNotice {
  /** The pool's name in the configuration. */
  readonly pool: string;
  readonly severity: 'normal' | 'warning';
  /** A word for machines, in CamelCase, such as `PoolDamaged`. */
  readonly reason: string;
  /** What is so, and what to do. */
  readonly message: string;
}

/** Something about one volume. */
export interface VolumeNotice extends Omit<PoolNotice, 'pool'> {
  /** A handle of its directory: whoever uses the directory by another one has to hear of it, too. */
  readonly volume: string;
}

/** Where notices go: events in Kubernetes, the log elsewhere. Never throws, never waits. */
export interface Notices {
  pool(notice: PoolNotice): void;
  volume(notice: VolumeNotice): void;
}

/** A volume that somebody waits for, in the words of the CSI specification. */
export interface WantedVolume {
  readonly name: string;
  readonly bytes: number;
  readonly modes: readonly AccessMode[];
  /** A block device rather than a mount. */
  readonly block: boolean;
  readonly fsType: string;
  readonly mountFlags: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
  /** What it is to be a copy of, in words. */
  readonly source?: string;
}

/** What a controller can tell of its pools without changing anything. */
export interface Explainer {
  /** Why a volume cannot be made now and what to do, or undefined where it can. */
  explain(wanted: WantedVolume): string | undefined;
}

/** All that a cluster keeps for its controllers and hosts. */
export interface ClusterState {
  readonly attachments: Attachments;
  readonly members: Members;
  readonly poolNames: PoolNames;
  readonly nodes: Nodes;
  /** Missing without Kubernetes, where there are none. */
  readonly persistentVolumes?: PersistentVolumes;
  readonly hosts: Hosts;
  readonly notices: Notices;
  /** The cluster's UUID, which its pools carry as their system UUID. */
  clusterUuid(signal?: AbortSignal): Promise<string>;
  /** Waits until the lease is held. Rejects when `signal` aborts. */
  acquireLease(signal?: AbortSignal): Promise<Lease>;
  /** Starts what the holder of the lease does for the cluster besides answering calls, until `signal` aborts. */
  startLeaderTasks(controller: Explainer, signal: AbortSignal): void;
}

/** The nodes of the cluster: in Kubernetes the CSINode objects, which the kubelet keeps. */
export interface Nodes {
  announce(record: NodeRecord): Promise<void>;
  has(node: string): Promise<boolean>;
}
