/**
 * What the processes and threads of a session say to each other. A supervisor may be of an older version
 * than its child, which is started from the program that is installed then: so the fields of messages
 * between them keep their names.
 */
import type { MemoryHandle } from '../../device/pool-memory.ts';
import { FamfsError, type FamfsErrorCode, messageOf } from '../../errors.ts';
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

/** What is wrong with a pool, across a process boundary. */
export interface ToldProblems {
  /** The first few, a line each. */
  readonly problems: readonly string[];
  /** How many there are. Versions before this one told all in words, and no number. */
  readonly problemCount?: number;
}

/** Lines that a session keeps of what is wrong with its pool: more than this version tells. */
const LINES_MAX = 16;

/** The same as this version tells it, whichever version told it: nothing that grows with the log goes any further. */
export function fewProblems({ problems, problemCount = problems.length }: ToldProblems): Required<ToldProblems> {
  const named = LINES_MAX - 1;
  const few = problems.length <= LINES_MAX ? problems : [...problems.slice(0, named), `${problems.length - named} more`];
  return { problems: few, problemCount };
}

/** A failure, across a process boundary. */
export interface Failed {
  readonly type: 'failed';
  readonly code: FamfsErrorCode;
  readonly message: string;
}

/** What was thrown, as a message. `otherwise`: the code of what is no FamfsError. */
export function failed(error: unknown, otherwise: FamfsErrorCode): Failed {
  return { type: 'failed', code: error instanceof FamfsError ? error.code : otherwise, message: messageOf(error) };
}

/** Serving child to supervisor. */
export type ChildMessage =
  /** The log has been replayed; nothing is mounted yet. */
  | ToldProblems & {
    readonly type: 'prepared'; readonly poolUuid: string;
    /** See PoolIdentity; missing from an earlier version. */
    readonly logLife?: string;
  }
  /** It is about to serve: the counters file no longer tells what the child before had under way. */
  | { readonly type: 'began' }
  | { readonly type: 'serving' }
  /** The pool was formatted anew: there is nothing to serve any more. */
  | { readonly type: 'replaced' }
  | Failed;

/** Supervisor to serving child: the mount is there, begin. */
export interface Serve {
  readonly type: 'serve';
  readonly agreement: Agreement;
  /** No child served this session before: the kernel caches nothing yet. */
  readonly first: boolean;
  /** See CrashFindings. The name is that of an earlier version. */
  readonly doubts: CrashFindings;
}

/** What is known of the deaths of earlier children of a session: see crash-history.ts. */
export interface CrashFindings {
  /** Parts of files that are not to be touched. */
  readonly bad: readonly BadRange[];
  /** Requests that are not to be tried again, by `unique`. */
  readonly refused: readonly string[];
  /** The child is to serve one request at a time at first, since one of them may kill it. */
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
  | Required<ToldProblems> & { readonly type: 'replayed'; readonly index: IndexHandle }
  | { readonly type: 'changed'; readonly removed: readonly number[]; readonly rebuilt: boolean }
  | { readonly type: 'overrides' }
  /** Another pool is in memory now. The thread's last message. */
  | { readonly type: 'replaced' }
  | Failed;

/** Main thread to replay thread, when the child serves: what else to watch, and where to write how far the replay is. */
export interface Watch {
  readonly overrides: OverridesHandle;
  readonly counters: CountersHandle;
  /** Of the workers: see quiescence.ts. */
  readonly parity: SharedArrayBuffer;
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
  readonly parity: SharedArrayBuffer;
  readonly agreement: Agreement;
  readonly crashFindings: CrashFindings;
  /** One Int32, the lock of the request gate. */
  readonly gateLock: SharedArrayBuffer;
}
