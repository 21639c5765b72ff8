import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'winston';
import { FamfsError } from '../famfs/errors.ts';
import { famfsMountAt, unmountFuse } from '../famfs/fuse/mount/mount.ts';
import type { TouchingPrograms } from '../famfs/fuse/mount/programs.ts';
import { dropFromFdStore } from '../famfs/fuse/session/fd-store-client.ts';
import { fdStoreSocket } from '../famfs/fuse/session/fd-store.ts';
import { pidNamespace } from '../famfs/fuse/session/processes.ts';
import { isServed } from '../famfs/fuse/session/session-lock.ts';
import { removeDead, type SessionRecord, unsupervisedRecords } from '../famfs/fuse/session/session-record.ts';
import { findSessions, resumeSession, type Session } from '../famfs/fuse/session/session.ts';

const RETRY_MS = 200;

/** The mount of a pool. */
export interface MountedPool {
  readonly poolUuid: string;
  readonly directory: string;
  readonly hostDirectory: string;
  readonly log: Logger;
}

/**
 * Goes on with the session of a mount whose supervisor has died, where the host's fd store has it.
 * Otherwise clears the mount away, to make room for the next one, and answers none. `over`: the session
 * that has ended there, as far as we know. Throws FamfsError IN_USE while processes of others serve it.
 */
export async function recoverSession(pool: MountedPool, over?: Session): Promise<Session | undefined> {
  const { poolUuid, directory, hostDirectory, log } = pool;
  const mount = famfsMountAt(directory);
  if (mount === undefined) return undefined;
  const isHere = (record: SessionRecord) => record.directory === directory && record.mount === mount.deviceNumber;
  const living = findSessions(hostDirectory).find(({ id, record }) => isHere(record) && id !== over?.id);
  if (living !== undefined) return living;
  const began = performance.now();
  const find = () => unsupervisedRecords(hostDirectory).find(isHere);
  for (let record = find(); record !== undefined; record = find()) {
    try {
      const session = await resumeSession(record);
      log.warn('session continued: its supervisor had died', { pool: poolUuid, pid: session.pid });
      return session;
    } catch (error) {
      if (!(error instanceof FamfsError) || error.code === 'IN_USE') throw error;
      log.error('session not continued', { pool: poolUuid, error: error.message });
      // A supervisor that was killed at it leaves the session to the next one; an fd store may come.
      if (error.code !== 'NOT_FOUND' && error.code !== 'REPLACED' && performance.now() - began < record.patienceMs) {
        await sleep(RETRY_MS);
        continue;
      }
      requireUnserved(record, error);
      await unmountDead(pool, mount.deviceNumber);
      await dropFromFdStore(fdStoreSocket(hostDirectory), record.id);
      removeDead(hostDirectory, ({ id }) => id !== record!.id);
      return undefined;
    }
  }
  await unmountDead(pool, mount.deviceNumber);
  return undefined;
}

/** Whether a session is mounted still, and somebody serves it. Throws FamfsError NOT_ANSWERING when that cannot be told in time. */
export async function isResponsive({ poolUuid, directory, closed }: Session, programs: TouchingPrograms): Promise<boolean> {
  if (famfsMountAt(directory) === undefined) return false;
  return Promise.race([
    // The kernel answers statfs never from a cache.
    programs.run(poolUuid, 'stat', ['--file-system', '--format=%T', '--', directory]).then(({ code }) => code === 0),
    closed.then(() => false),
  ]);
}

/**
 * Throws FamfsError IN_USE where a session is served on by others, or by a child of ours that may yet get
 * a supervisor. One that nobody holds ends with that child.
 */
function requireUnserved({ hostDirectory, id, directory, pidNamespace: theirs }: SessionRecord, { code, message }: FamfsError): void {
  if (!isServed(hostDirectory, id)) return;
  if (code !== 'NOT_FOUND' || theirs !== pidNamespace()) throw new FamfsError('IN_USE', `${directory} is served on: ${message}`);
}

/** Takes a mount that nobody serves out of sight. */
async function unmountDead({ poolUuid, directory, log }: MountedPool, deviceNumber: string): Promise<void> {
  if (famfsMountAt(directory)?.deviceNumber !== deviceNumber) return;
  log.warn('dead mount cleared away', { pool: poolUuid, path: directory });
  await unmountFuse(directory, { lazy: true });
}
