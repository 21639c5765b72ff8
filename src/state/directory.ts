import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Logger } from 'winston';
import { openStateDirectory } from '../famfs/private-folder.ts';
import { SerialQueue } from '../famfs/serial-queue.ts';
import { readAttachRecord, storedAttachRecord, type StoredAttachRecord } from './attach-record-format.ts';
import { DirectoryLease } from './directory-lease.ts';
import type {
  Attachments, AttachRecord, ClusterState, Member, Members, NodeRecord, Nodes, PoolName, PoolNames, PoolNotice, Versioned, VolumeNotice,
} from './interfaces.ts';
import { RecordFolder, writeDurably } from './records.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * What a cluster without Kubernetes keeps: a directory that its controller and nodes share. Files
 * appear when the first record is written.
 */
export function openDirectoryState(stateDir: string, log: Logger): ClusterState {
  return {
    attachments: new DirectoryAttachments(path.join(stateDir, 'attachments')),
    members: new DirectoryMembers(path.join(stateDir, 'members')),
    poolNames: new DirectoryPoolNames(path.join(stateDir, 'pools')),
    nodes: new DirectoryNodes(path.join(stateDir, 'nodes')),
    hosts: { whyGone: async () => undefined }, // only the operator can tell
    notices: { pool: (notice) => logNotice(log, notice), volume: (notice) => logNotice(log, notice) },
    clusterUuid: () => clusterUuid(stateDir),
    acquireLease: (signal) => DirectoryLease.acquire(stateDir, signal),
    startLeaderTasks: () => {},
  };
}

function logNotice(log: Logger, { severity, message, ...about }: PoolNotice | VolumeNotice): void {
  log.log(severity === 'warning' ? 'warn' : 'info', message, about);
}

/** The cluster's UUID, made and remembered when a state directory is used for the first time. */
export async function clusterUuid(stateDir: string): Promise<string> {
  const file = path.join(stateDir, 'cluster-uuid');
  openStateDirectory(stateDir);
  if (!fs.existsSync(file)) await createOnce(file, `${randomUUID()}\n`);
  const uuid = fs.readFileSync(file, 'utf8').trim();
  if (!UUID.test(uuid)) throw new Error(`${file} holds no UUID but ${JSON.stringify(uuid)}`);
  return uuid;
}

/** Two first users at once must end up with one UUID: a link, unlike a rename, never replaces. */
async function createOnce(file: string, text: string): Promise<void> {
  const own = `${file}.${process.pid}.${randomUUID()}`;
  await writeDurably(own, text);
  try {
    fs.linkSync(own, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    fs.rmSync(own);
  }
}

/** A version is never used twice, not even for a record that went and came back. */
interface CountedRecord extends StoredAttachRecord {
  readonly version: string;
}

class DirectoryAttachments implements Attachments {
  readonly #records: RecordFolder<CountedRecord>;
  /** Compares and writes of one record, one after the other. One process only: it holds the lease. */
  readonly #queue = new SerialQueue();

  constructor(folder: string) {
    this.#records = new RecordFolder(folder);
  }

  async get(directory: string): Promise<Versioned<AttachRecord> | undefined> {
    const found = await this.#records.get(directory);
    if (found === undefined) return undefined;
    return { value: readAttachRecord(found), version: found.version };
  }

  async replace(record: AttachRecord, version: string | undefined): Promise<boolean> {
    const { directory } = record;
    return this.#queue.run(directory, async () => {
      const current = await this.#records.get(directory);
      if (current?.version !== version) return false;
      if (current !== undefined && current.epoch > record.epoch) return false;
      if (record.attachments.length === 0) await this.#records.delete(directory);
      else await this.#records.put(directory, { ...storedAttachRecord(record), version: randomUUID() });
      return true;
    });
  }

  async list(): Promise<AttachRecord[]> {
    return (await this.#records.list()).map(readAttachRecord);
  }
}

class DirectoryMembers implements Members {
  readonly #records: RecordFolder<Member>;

  constructor(folder: string) {
    this.#records = new RecordFolder(folder);
  }

  register(member: Member): Promise<void> {
    return this.#records.put(`${member.pool}/${member.host}`, member);
  }

  leave(pool: string, host: string): Promise<void> {
    return this.#records.delete(`${pool}/${host}`);
  }

  async list(pool?: string): Promise<Member[]> {
    return (await this.#records.list()).filter((member) => pool === undefined || member.pool === pool);
  }

  async release(member: Member): Promise<boolean> {
    const now = await this.#records.get(`${member.pool}/${member.host}`);
    if (JSON.stringify(now) !== JSON.stringify(member)) return now === undefined;
    await this.leave(member.pool, member.host);
    return true;
  }
}

class DirectoryPoolNames implements PoolNames {
  readonly #records: RecordFolder<PoolName>;

  constructor(folder: string) {
    this.#records = new RecordFolder(folder);
  }

  list(): Promise<PoolName[]> {
    return this.#records.list();
  }

  put(record: PoolName): Promise<void> {
    return this.#records.put(record.name, record);
  }

  forget(name: string): Promise<void> {
    return this.#records.delete(name);
  }
}

class DirectoryNodes implements Nodes {
  readonly #records: RecordFolder<NodeRecord>;

  constructor(folder: string) {
    this.#records = new RecordFolder(folder);
  }

  announce(record: NodeRecord): Promise<void> {
    return this.#records.put(record.node, record);
  }

  async has(node: string): Promise<boolean> {
    return await this.#records.get(node) !== undefined;
  }
}
