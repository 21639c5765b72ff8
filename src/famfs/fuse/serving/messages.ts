/** What the processes and threads of a session say to each other. */
import type { MemoryHandle } from '../../device/pool-memory.ts';
import type { FamfsErrorCode } from '../../errors.ts';
import type { IndexHandle } from '../../index/index-store.ts';
import type { BadRange } from '../host-state/bad-ranges.ts';
import type { CountersHandle } from '../host-state/counters-file.ts';
import type { OverridesHandle } from '../host-state/overrides.ts';
import type { Agreement } from '../protocol/init.ts';

/**
 * What a session is made from: given to the supervisor and its child as an argument, and kept in the
 * session's record, where another version of this program may read it. So its fields keep their names.
 */
export interface SessionConfig {
  /** Its name on this host, whoever serves it. */
  readonly id: string;
  readonly device: string;
  /** Where to mount: absolute. */
  readonly directory: string;
  readonly hostDirectory: string;
  readonly readOnly: boolean;
  /** The grace period: how long requests wait when no serving process can be had; then the session is over. */
  readonly patienceMs: number;
  /** Socket file of the host's fd store, where that is to keep /dev/fuse too: see fd-store.ts. */
  readonly holder?: string;
}

/** A failure, across a process boundary. */
export interface Failed {
  readonly type: 'failed';
  readonly code: FamfsErrorCode;
  readonly message: string;
}

/** Serving child to supervisor. */
export type ChildMessage =
  /** The log has been replayed; nothing is mounted yet. */
  | { readonly type: 'prepared'; readonly poolUuid: string; readonly problems: readonly string[] }
  /** It is about to serve. */
  | { readonly type: 'began' }
  | { readonly type: 'serving' }
  | Failed;

/** Supervisor to serving child: the mount is there, begin. */
export interface Serve {
  readonly type: 'serve';
  readonly agreement: Agreement;
  /** The kernel knows nothing yet: no child served this session before. */
  readonly first: boolean;
  readonly doubts: Doubts;
}

/** What earlier children of a session died of. */
export interface Doubts {
  readonly bad: readonly BadRange[];
  /** Requests that are not to be tried again. */
  readonly refused: readonly string[];
  /** One of the requests that come first may be the end of this child: one at a time, so that it is known which. */
  readonly careful: boolean;
}

/** What a replay thread starts with. */
export interface ReplayData {
  readonly memory: MemoryHandle;
  /** One Int32: not 0 tells the thread to end. */
  readonly stop: SharedArrayBuffer;
}

/** Replay thread to the child's main thread. */
export type ReplayMessage =
  | { readonly type: 'replayed'; readonly index: IndexHandle; readonly problems: readonly string[] }
  | { readonly type: 'changed'; readonly removed: readonly number[]; readonly rebuilt: boolean }
  | { readonly type: 'overrides' }
  | Failed;

/** Main thread to replay thread, when the child serves: what else to watch, and where to tell how far it is. */
export interface Watch {
  readonly overrides: OverridesHandle;
  readonly counters: CountersHandle;
  /** Of the workers: see quiescence.ts. */
  readonly turns: SharedArrayBuffer;
}

/** What a worker starts with. */
export interface WorkerData {
  readonly fd: number;
  readonly number: number;
  readonly memory: MemoryHandle;
  /** See populated.ts. */
  readonly populated: SharedArrayBuffer;
  readonly index: IndexHandle;
  readonly overrides: OverridesHandle;
  readonly counters: CountersHandle;
  readonly turns: SharedArrayBuffer;
  readonly agreement: Agreement;
  readonly doubts: Doubts;
  /** One Int32, held by the worker that serves while they are careful. */
  readonly lock: SharedArrayBuffer;
}
