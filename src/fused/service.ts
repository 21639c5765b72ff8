import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { CsiError, refuse, toStatus } from '../csi/errors.ts';
import type { Operations } from '../csi/server/service.ts';
import { FamfsError } from '../famfs/errors.ts';
import { Overrides } from '../famfs/fuse/host-state/overrides.ts';
import type { Session } from '../famfs/fuse/session/session.ts';
import type { FusedHandlers } from '../generated/famfs/fused/v1/Fused.ts';
import type { PoolReader, PoolReaders } from './pool-reader.ts';
import type { Sessions } from './sessions.ts';

/** How long the kernel's attributes may lag behind a new mount group; longer, and the call fails. */
const NOTIFIED_MS = 5000;

/** The control socket's methods, as plain functions. Everything is idempotent. */
export function fusedOperations(sessions: Sessions, readers: PoolReaders, hostDirectory: string): Operations<FusedHandlers> {
  const readerOf = (session: Session) => readers.of(session, () => sessions.placeOf(session));
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

    EnsureSession: async ({ pool_uuid: uuid, directory }) => {
      const session = await sessions.ensure(uuid).catch((error: unknown) => { throw cannotServe(error); });
      if (directory === '') return { path: session.directory };
      const node = await directoryOf(readerOf(session), directory).then((found) => found.node, unlessUnreadable);
      return { path: session.directory, directory_node: node };
    },

    SetMountGroup: async ({ pool_uuid: uuid, directory, gid, readonly }) => {
      const reader = readerOf(mounted(sessions, uuid));
      if (readonly && gid !== undefined) {
        const { isReadable } = await reader.ask({ ask: 'readable', path: requireBelowRoot(directory), hostDirectory });
        if (isReadable) return { not_needed: true };
      }
      const { node, logLife } = await directoryOf(reader, directory);
      const overrides = Overrides.open(hostDirectory, uuid, logLife);
      try {
        overrides.setGroup(node, gid);
        await untilNotified(overrides, overrides.generation(), `${directory} of pool ${uuid}`);
      } catch (error) {
        if (error instanceof FamfsError && error.code === 'EXISTS') throw refuse.precondition(`${directory}: ${error.message}`);
        throw error;
      } finally {
        overrides.close();
      }
      return {};
    },

    GetVolumeStatistics: async ({ pool_uuid: uuid, directory }) => {
      const reader = readerOf(mounted(sessions, uuid));
      const { bytes, files } = await reader.ask({ ask: 'files', path: requireBelowRoot(directory) });
      if (bytes === undefined) throw refuse.notFound(`no directory ${directory} in pool ${uuid}`);
      return { total_bytes: bytes, file_count: files! };
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
  if (!(error instanceof FamfsError) || error.code === 'NOT_ANSWERING') return error;
  const { code, details } = toStatus(error);
  return code === status.UNAVAILABLE ? new CsiError(status.FAILED_PRECONDITION, details, { cause: error }) : error;
}

/** Throws NOT_FOUND unless the pool is mounted. */
function mounted(sessions: Sessions, uuid: string): Session {
  const session = sessions.find(uuid);
  if (session === undefined) throw refuse.notFound(`pool ${uuid} is not mounted on this host`);
  return session;
}

/** A live directory: its node id, and the life of the log that this is of. Throws NOT_FOUND where there is none. */
async function directoryOf(reader: PoolReader, directory: string): Promise<{ node: number; logLife: string }> {
  const { node, logLife } = await reader.ask({ ask: 'directory', path: requireBelowRoot(directory) });
  if (node === undefined) throw refuse.notFound(`there is no directory ${JSON.stringify(directory)} in the pool`);
  return { node, logLife: logLife! };
}

/** A pool that is mounted serves on when somebody writes over its superblock; then nobody can tell more of it. */
function unlessUnreadable(error: unknown): number {
  if (error instanceof FamfsError && error.code !== 'NOT_ANSWERING') return 0;
  throw error;
}

function requireBelowRoot(directory: string): string {
  if (!directory.split('/').some((name) => name === '' || name === '.' || name === '..')) return directory;
  throw refuse.invalid(`${JSON.stringify(directory)} is not a path below the pool's root`);
}

/** Waits until the serving child has notified the kernel of the new attributes. Throws UNAVAILABLE when it does not. */
async function untilNotified(overrides: Overrides, generation: number, what: string): Promise<void> {
  const deadline = performance.now() + NOTIFIED_MS;
  while (!overrides.isNotified(generation)) {
    if (performance.now() > deadline) throw refuse.unavailable(`${what}: its session does not answer`);
    await sleep(5);
  }
}
