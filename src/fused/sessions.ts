import fs from 'node:fs';
import path from 'node:path';
import type { Logger } from 'winston';
import { FamfsError, messageOf } from '../famfs/errors.ts';
import { famfsMountAt, FILE_SYSTEM_TYPE, mountPoints } from '../famfs/fuse/mount/mount.ts';
import { TouchingPrograms } from '../famfs/fuse/mount/programs.ts';
import { handOverToFdStore } from '../famfs/fuse/session/fd-store-client.ts';
import { fdStoreSocket } from '../famfs/fuse/session/fd-store.ts';
import { isSupervised, removeDead } from '../famfs/fuse/session/session-record.ts';
import { findSessions, mountPool, type Session, type SessionEnd } from '../famfs/fuse/session/session.ts';
import { makePrivateFolder } from '../famfs/private-folder.ts';
import { SerialQueue } from '../famfs/serial-queue.ts';
import type { Stages } from '../state/stages.ts';
import { type ConfiguredPool, type IdentifiedPool, identifyPools } from './identify.ts';
import { OpenDevices } from './open-devices.ts';
import type { ReadPool } from './pool-reader.ts';
import { isResponsive, recoverSession } from './recovery.ts';
import type { ReplacedPools } from './replaced-pools.ts';

/** The member records of a pool's hosts. Both calls may be repeated. */
export interface PoolMembers {
  /** Before the first replay. */
  register(poolUuid: string): Promise<void>;
  /** After the unmount. */
  leave(poolUuid: string): Promise<void>;
}

export interface SessionsOptions {
  readonly pools: readonly ConfiguredPool[];
  readonly hostDirectory: string;
  /** What the node plugin has staged: mounts that this process need not see. */
  readonly stages: Pick<Stages, 'ofPool'>;
  readonly log: Logger;
  readonly members?: PoolMembers;
  /** Told of each session that has ended. */
  readonly replaced: Pick<ReplacedPools, 'sessionEnded'>;
}

/** A pool of this host and its session. */
export interface PoolState extends IdentifiedPool {
  readonly session?: Session;
}

/** How long a process that ends waits for its sessions to be held by another: less than a pod is given to end. */
export const HAND_OVER_MS = 110_000;
/** How often to look again after a session that others serve, or that cannot be gone on with now. */
const RETRY_MS = 1000;

/**
 * The sessions of a host: at most one for each pool, mounted below `<host directory>/mounts`. They
 * run in processes of their own and outlive this one; the next one adopts them.
 */
export class Sessions {
  /** For looks at the devices of this host's pools. */
  readonly devices = new OpenDevices();
  readonly #options: SessionsOptions;
  #pools: readonly ConfiguredPool[];
  readonly #sessions = new Map<string, Session>();
  /** Calls about one pool follow each other. */
  readonly #queue = new SerialQueue();
  /** Calls of `ensure` under way, by pool. */
  readonly #ensuring = new Map<string, Promise<Session>>();
  readonly #programs = new TouchingPrograms();
  /** Pools that are no longer configured but still mounted, and why: their UUID and the reason. */
  readonly #removedInUse = new Map<string, string>();
  #hasStopped = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#pools = options.pools;
  }

  /** Replaces the configuration. Pools that it has no longer are unmounted by `endRemoved`. */
  configure(pools: readonly ConfiguredPool[]): void {
    this.#pools = pools;
  }

  /** Takes over the sessions that serve, goes on with those that are held for us, and clears away dead mounts. */
  async adopt(): Promise<void> {
    const { hostDirectory, log } = this.#options;
    for (const session of findSessions(hostDirectory)) {
      const expected = this.#mountDirectory(session.poolUuid);
      if (session.directory !== expected || famfsMountAt(expected) === undefined) continue;
      log.info('session adopted', { pool: session.poolUuid, pid: session.pid });
      this.#track(session);
    }
    const root = this.#mountDirectory('');
    const left = mountPoints().filter(({ directory, type }) => type === FILE_SYSTEM_TYPE && path.dirname(directory) === root);
    const pools = [...new Set(left.map(({ directory }) => path.basename(directory)))].filter((pool) => !this.#sessions.has(pool));
    await Promise.all(pools.map((pool) => this.#queue.run(pool, () => this.#recover(pool))
      .catch((error: unknown) => this.#recoverLater(pool, error))));
    removeDead(hostDirectory, ({ id, directory, mount }) =>
      this.serving.some((session) => session.id === id) || famfsMountAt(directory)?.deviceNumber === mount);
  }

  /** All pools of the configuration, mounted or not. */
  list(): PoolState[] {
    this.devices.retain([...this.#pools, ...this.serving.map(({ record }) => record)].map(({ device }) => device));
    return this.#identify().map((pool) => {
      const session = this.#sessions.get(pool.uuid) ?? this.#mountedFrom(pool);
      return session === undefined ? pool : { ...pool, uuid: session.poolUuid, session };
    });
  }

  /** The session of a pool whose superblock cannot be read any more: it goes on all the same. */
  #mountedFrom({ uuid, device }: IdentifiedPool): Session | undefined {
    return uuid === '' ? this.serving.find(({ record }) => record.device === path.resolve(device)) : undefined;
  }

  /** All sessions that serve, those too of pools that are no longer configured. */
  get serving(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  /** A session that serves, or undefined. */
  find(poolUuid: string): Session | undefined {
    return this.#sessions.get(poolUuid);
  }

  /**
   * The session of a pool, made if there is none. Throws FamfsError NOT_FOUND for a pool that this
   * host does not have, NOT_ANSWERING while its session hangs, and whatever says why it cannot be served.
   */
  ensure(poolUuid: string): Promise<Session> {
    const present = this.#ensuring.get(poolUuid);
    if (present !== undefined) return present; // one wait for all where the session hangs
    const ensuring = this.#queue.run(poolUuid, () => this.#ensure(poolUuid)).finally(() => this.#ensuring.delete(poolUuid));
    this.#ensuring.set(poolUuid, ensuring);
    return ensuring;
  }

  /** Unmounts a pool, where it is mounted. Throws FamfsError IN_USE, also while a volume of it is staged. */
  end(poolUuid: string): Promise<void> {
    return this.#queue.run(poolUuid, async () => {
      const session = this.#sessions.get(poolUuid);
      if (session === undefined) return;
      const [stage] = await this.#options.stages.ofPool(poolUuid);
      if (stage !== undefined) throw new FamfsError('IN_USE', `pool ${poolUuid} is in use: ${stage.volume} is staged at ${stage.path}`);
      const mount = famfsMountAt(session.directory);
      const other = mountPoints()
        .find(({ deviceNumber, directory }) => deviceNumber === mount?.deviceNumber && directory !== session.directory);
      if (other !== undefined) throw new FamfsError('IN_USE', `pool ${poolUuid} is in use at ${other.directory}`);
      this.#sessions.delete(poolUuid); // its end is expected
      try {
        await session.unmount();
      } catch (error) {
        this.#sessions.set(poolUuid, session);
        throw error;
      }
      await this.#options.members?.leave(poolUuid);
      fs.rmdirSync(session.directory);
    });
  }

  /** Unmounts pools that are configured no longer, as soon as nobody uses them. To be called again and again. */
  async endRemoved(): Promise<void> {
    for (const { poolUuid: pool, record } of this.serving) {
      try {
        if (this.#isConfigured(pool, record.device)) {
          this.#removedInUse.delete(pool);
          continue;
        }
        await this.end(pool);
        this.#removedInUse.delete(pool);
        this.#options.log.info('session ended: its pool is configured no longer', { pool });
      } catch (error) {
        const reason = messageOf(error);
        if (this.#removedInUse.get(pool) !== reason) this.#options.log.info('a removed pool is still in use', { pool, reason });
        this.#removedInUse.set(pool, reason);
      }
    }
  }

  /**
   * For the end of this process: unmounts what is not in use, and leaves the rest to its supervisors.
   * `endsSessions`: their processes end with this one, as in a container; then the host's fd store has to have the sessions.
   */
  async stop(endsSessions: boolean): Promise<void> {
    const { hostDirectory, log } = this.#options;
    const used: string[] = [];
    for (const [uuid, session] of [...this.#sessions]) {
      await this.end(uuid).catch((error: unknown) => {
        log.info('session goes on', { pool: uuid, reason: messageOf(error) });
        session.detach();
        used.push(session.id);
      });
    }
    const lost = endsSessions ? await handOverToFdStore(fdStoreSocket(hostDirectory), used, HAND_OVER_MS) : [];
    this.#hasStopped = true;
    this.devices.retain([]);
    if (lost.length > 0) log.error('sessions in use end, since no node plugin of this host holds them', { sessions: lost });
  }

  async #ensure(poolUuid: string): Promise<Session> {
    const present = this.#sessions.get(poolUuid);
    const directory = this.#mountDirectory(poolUuid);
    if (present !== undefined && isSupervised(present.record) && await isResponsive(present, this.#programs)) return present;
    // It died, or somebody else unmounted it; or it was another container's until now.
    const recovered = await this.#recover(poolUuid, present);
    if (recovered !== undefined) return recovered;
    this.#sessions.delete(poolUuid);

    const pool = this.#identify().find(({ uuid }) => uuid === poolUuid);
    if (pool === undefined) throw new FamfsError('NOT_FOUND', `no pool with UUID ${poolUuid} on this host`);
    if (pool.problem !== undefined) throw new FamfsError('DEVICE', pool.problem);
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
    const { members, hostDirectory } = this.#options;
    removeDead(hostDirectory, (record) => record.directory !== directory); // or one could be taken for the new one
    await members?.register(poolUuid);
    const session = await mountPool({ device: pool.device, directory, hostDirectory, inFdStore: true }).catch(async (error: unknown) => {
      await members?.leave(poolUuid);
      throw error;
    });
    this.#options.log.info('session started', { pool: poolUuid, device: pool.device, pid: session.pid, problems: session.problems });
    this.#track(session);
    return session;
  }

  /** A session's pool and where it is now: devices may have got other names since it was mounted. */
  placeOf({ poolUuid, record }: Session): ReadPool {
    const found = this.#identify().find(({ uuid, problem }) => uuid === poolUuid && problem === undefined);
    return found === undefined ? record : { ...record, device: found.device };
  }

  /** Whether a pool is on another device than when it was mounted. */
  #hasMoved(session: Session): boolean {
    return path.resolve(this.placeOf(session).device) !== session.record.device;
  }

  #identify(): IdentifiedPool[] {
    return identifyPools(this.#pools, this.devices);
  }

  /** By its device, or, under another name, by its UUID: a device that cannot be read now is no removed one. */
  #isConfigured(poolUuid: string, device: string): boolean {
    return this.#pools.some((pool) => path.resolve(pool.device) === device) ||
      this.#identify().some(({ uuid }) => uuid === poolUuid);
  }

  /** Remembers a session until it ends. */
  #track(session: Session): Session {
    const { members, log } = this.#options;
    const pool = session.poolUuid;
    this.#sessions.set(pool, session);
    const ended = ({ failure }: SessionEnd) => this.#queue.run(pool, async () => {
      if (this.#hasStopped || this.#sessions.get(pool) !== session) return;
      if (failure !== undefined) log.error('session failed', { pool, error: failure });
      if (await this.#recover(pool, session) !== undefined) return;
      this.#sessions.delete(pool);
      if (!this.#hasMoved(session)) await this.#options.replaced.sessionEnded(session.record);
      await members?.leave(pool);
    });
    session.closed.then(ended).catch((error: unknown) => this.#recoverLater(pool, error));
    return session;
  }

  /** As `recoverSession`, for the mount of a pool. */
  async #recover(poolUuid: string, over?: Session): Promise<Session | undefined> {
    const { hostDirectory, log } = this.#options;
    const session = await recoverSession({ poolUuid, directory: this.#mountDirectory(poolUuid), hostDirectory, log }, over);
    return session && this.#track(session);
  }

  /** What could not be gone on with now, because others serve it for instance. */
  #recoverLater(pool: string, reason: unknown): void {
    this.#options.log.error('a mount stays as it is, for now', { pool, error: String(reason) });
    const again = async () => {
      const dead = this.#sessions.get(pool);
      if (this.#hasStopped || (dead !== undefined && isSupervised(dead.record))) return;
      await this.#queue.run(pool, () => this.#recover(pool, dead));
    };
    setTimeout(() => { again().catch((error: unknown) => this.#recoverLater(pool, error)); }, RETRY_MS).unref();
  }

  #mountDirectory(poolUuid: string): string {
    const root = path.join(this.#options.hostDirectory, 'mounts');
    makePrivateFolder(root); // its mounts are for who publishes them, not for whoever is on this host
    return poolUuid === '' ? fs.realpathSync(root) : path.join(fs.realpathSync(root), poolUuid);
  }
}
