import fs from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { CsiError, refuse, toStatus } from '../csi/errors.ts';
import type { Operations } from '../csi/server/service.ts';
import { FamfsError } from '../famfs/errors.ts';
import { Overrides } from '../famfs/fuse/host-state/overrides.ts';
import { isStale } from '../famfs/fuse/protocol/errno.ts';
import type { FusedHandlers } from '../generated/famfs/fused/v1/Fused.ts';
import { identityOn } from './identify.ts';
import type { Sessions } from './sessions.ts';

/** How long the kernel's attributes may lag behind a new mount group; longer, and the call fails. */
const NOTIFIED_MS = 5000;

interface Place {
  readonly path: string;
  readonly node: number;
  /** Of the pool's log, whose nodes these are. */
  readonly logLife: string;
}

/** The control socket's methods, as plain functions. Everything is idempotent. */
export function fusedOperations(sessions: Sessions, hostDirectory: string): Operations<FusedHandlers> {
  return {
    ListPools: () => ({
      pools: sessions.list().map(({ name, uuid, device, size, session, problem }) => ({
        name,
        uuid,
        device,
        size_bytes: size,
        session_path: session?.directory ?? '',
        problem: [problem, ...(session?.problems ?? [])].filter((text) => text !== undefined).join('; '),
      })),
    }),

    EnsureSession: async ({ pool_uuid: uuid }) => {
      try {
        const session = await sessions.ensure(uuid);
        return { path: session.directory };
      } catch (error) {
        throw cannotServe(error);
      }
    },

    SetMountGroup: async ({ pool_uuid: uuid, directory, gid }) => {
      const place = await volumeDirectory(sessions, uuid, directory);
      const overrides = Overrides.open(hostDirectory, uuid, place.logLife);
      try {
        overrides.setGroup(place.node, gid);
        await untilNotified(overrides, overrides.generation(), place.path);
      } catch (error) {
        if (error instanceof FamfsError && error.code === 'EXISTS') throw refuse.precondition(`${directory}: ${error.message}`);
        throw error;
      } finally {
        overrides.close();
      }
      return {};
    },

    GetVolumeStatistics: async ({ pool_uuid: uuid, directory }) => {
      const place = await volumeDirectory(sessions, uuid, directory);
      const { bytes, files } = await sizesBelow(place.path);
      return { total_bytes: bytes, file_count: files };
    },

    EndSession: async ({ pool_uuid: uuid }) => {
      try {
        await sessions.end(uuid);
      } catch (error) {
        if (error instanceof FamfsError && error.code === 'IN_USE') throw refuse.precondition(error.message);
        throw error;
      }
      return {};
    },
  };
}

/**
 * A pool that cannot be served needs a person: FAILED_PRECONDITION with the reason. A failure of
 * something else, such as an API server that is away, passes by itself.
 */
function cannotServe(error: unknown): unknown {
  if (!(error instanceof FamfsError)) return error;
  const { code, details } = toStatus(error);
  return code === status.UNAVAILABLE ? new CsiError(status.FAILED_PRECONDITION, details, { cause: error }) : error;
}

/**
 * A live directory of a mounted pool, by way of the mount: there, the inode number is the node id.
 * NOT_FOUND where there is none.
 */
async function volumeDirectory(sessions: Sessions, uuid: string, directory: string): Promise<Place> {
  const session = sessions.find(uuid);
  if (session === undefined) throw refuse.notFound(`pool ${uuid} is not mounted on this host`);
  const components = directory.split('/');
  if (components.some((name) => name === '' || name === '.' || name === '..')) {
    throw refuse.invalid(`${JSON.stringify(directory)} is not a path below the pool's root`);
  }
  const place = path.join(session.directory, directory);
  try {
    const stat = await fs.stat(place);
    if (!stat.isDirectory()) throw refuse.notFound(`${directory} of pool ${uuid} is not a directory`);
    const { logLife, device } = session.record;
    return { path: place, node: stat.ino, logLife: logLife ?? identityOn(device)?.logLife ?? '' };
  } catch (error) {
    if (isMissing(error)) throw refuse.notFound(`no directory ${directory} in pool ${uuid}`);
    throw error;
  }
}

/** Waits until the serving child has notified the kernel of the new attributes. Throws UNAVAILABLE when it does not. */
async function untilNotified(overrides: Overrides, generation: number, place: string): Promise<void> {
  const deadline = performance.now() + NOTIFIED_MS;
  while (!overrides.isNotified(generation)) {
    if (performance.now() > deadline) throw refuse.unavailable(`${place}: its session does not answer`);
    await sleep(5);
  }
}

/** A file that goes while we look is not counted. */
async function sizesBelow(directory: string): Promise<{ bytes: number; files: number }> {
  let bytes = 0;
  let files = 0;
  for (const entry of await fs.readdir(directory, { withFileTypes: true })) {
    const place = path.join(directory, entry.name);
    try {
      if (entry.isDirectory()) {
        const below = await sizesBelow(place);
        bytes += below.bytes;
        files += below.files;
      } else {
        bytes += (await fs.stat(place)).size;
        files++;
      }
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return { bytes, files };
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR' || isStale(error);
}
