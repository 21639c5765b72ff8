import { sumOf } from '../alloc/free-runs.ts';
import type { Region } from '../device/region.ts';
import { stateOffset } from '../format/log-header.ts';
import { EntryType, isDeadWord, StateWord } from '../format/state-word.ts';
import { type CheckedMap, FIRST_NODE, indexOf, nodeOf, Row, State, Status } from '../index/index-store.ts';
import type { IndexWriter } from '../index/index-writer.ts';
import type { LastDirectory } from '../index/last-directory.ts';
import type { Ownership, RejectedMemory } from './ownership.ts';
import type { EntryProblems } from './problem.ts';

/** What entries that were applied are by their state words, which others change. */
export interface Followed {
  readonly log: Region;
  readonly index: IndexWriter;
  readonly memory: Ownership;
  readonly rejects: RejectedMemory;
  readonly last: LastDirectory;
  readonly problems: Readonly<Record<'badWords' | 'rejects' | 'notes', EntryProblems>>;
}

/** Follows the state words of entries that a replay has applied. */
export class EntryStates {
  quarantinedBytes = 0;
  readonly #of: Followed;
  readonly #removed: number[] = [];
  #isStale = false;

  constructor(followed: Followed) {
    this.#of = followed;
  }

  /**
   * Log indexes below `end` whose state words are not those of what they are to readers. Looks at every word, and
   * changes nothing: so readers need not wait meanwhile.
   */
  moved(end: number): number[] {
    const { log, index: { store: { rows } } } = this.#of;
    const found: number[] = [];
    for (let index = 0; index < end; index++) {
      const state = rows[(index + FIRST_NODE) * Row.words + Row.state];
      const isAsKnown = (state & State.badWord) === 0 && isWordOf(state, log, stateOffset(index));
      if (!isAsKnown) found.push(index);
    }
    return found;
  }

  /** Brings such entries up to date, and takes out what has been deleted. */
  apply(moved: readonly number[]): void {
    for (const index of moved) {
      const node = nodeOf(index);
      const status = this.#of.index.status(node);
      if (status === Status.Live || status === Status.Quarantined) this.now(node);
      else if (status === Status.Void) this.#voidNow(node);
      else this.#rejectNow(node, status);
    }
  }

  /**
   * Whether a fresh replay could see another tree, or other owners of memory: what was in the way of a reject is gone, a
   * directory with something in it, or a proof; or an entry that was refused or void is quarantined by its word.
   */
  get isStale(): boolean {
    return this.#isStale;
  }

  /** Hands out what was live and is not any more since the last call. */
  takeRemoved(): number[] {
    const { index } = this.#of;
    const removed = this.#removed.splice(0);
    this.#isStale ||= removed.some((node) => index.has(node, State.inTheWay) ||
      (index.isDirectory(node) && index.store.rows[node * Row.words + Row.firstChild] !== 0));
    return removed;
  }

  /**
   * The entry at hand has been taken, and owns the memory of its map: so quarantined owners of some of it are proven
   * void (rule R2). Answers the flags of its row; undefined where it is void itself by now, and so proves nothing: it
   * may have been one to refuse, made void before a file was quarantined that had that memory (PoolWriter.remove). So
   * its word is loaded again, after that of the quarantined one.
   */
  proveVoid(node: number, { count, addresses, lengths }: CheckedMap): number | undefined {
    const { index, memory } = this.#of;
    let flags = 0;
    for (let k = 0; k < count; k++) {
      for (;;) {
        const range = memory.quarantined.overlapping(addresses[k], addresses[k] + lengths[k]);
        if (range === undefined) break;
        if (this.now(range.owner) === Status.Void) continue;
        if (this.#typeOf(node) === EntryType.Void) {
          for (let done = 0; done < count; done++) memory.live.remove(addresses[done], node);
          index.setStatus(node, Status.Void);
          this.#isStale ||= flags !== 0;
          return undefined;
        }
        this.bury(range.owner, Status.Void);
        index.mark(range.owner, State.saysQuarantined);
        flags = State.isProof;
      }
    }
    return flags;
  }

  /**
   * What a linked or quarantined entry is by its state word as it stands in memory now; the index
   * follows. A word that no writer stores is damage: reported, and the entry served on as it was.
   */
  now(node: number): number {
    const status = this.#of.index.status(node);
    const now = this.#statusOf(node);
    if (now === undefined || now < status) {
      this.#reportBadWord(node);
      return status;
    }
    this.#forgetBadWord(node);
    if (now === status) return now;
    if (now === Status.Void && this.#of.index.has(node, State.isProof)) this.#isStale = true;
    this.bury(node, now);
    return now;
  }

  /** A live entry becomes quarantined or void, a quarantined one void. */
  bury(node: number, now: number): void {
    const { index, memory, last } = this.#of;
    const wasLive = index.status(node) === Status.Live;
    const bytes = sumOf(index.extents(node));
    if (wasLive) {
      index.unlink(node);
      last.forget(node);
      this.#removed.push(node);
    }
    index.setStatus(node, now);
    if (now === Status.Void) memory.disown(node, index.extents(node));
    else memory.quarantine(node, index.extents(node));
    if (wasLive && now === Status.Quarantined) this.quarantinedBytes += bytes;
    if (!wasLive && now === Status.Void) this.quarantinedBytes -= bytes;
  }

  /** The same for a void entry. Whatever its word says: while it is proven void, nothing follows. */
  #voidNow(node: number): void {
    const { index } = this.#of;
    if (this.#statusOf(node) !== undefined) this.#forgetBadWord(node);
    const type = this.#typeOf(node);
    const isProven = index.has(node, State.saysQuarantined);
    if (type === EntryType.Quarantined && !isProven) this.#isStale = true;
    if (type !== EntryType.Void || !isProven) return;
    index.unmark(node, State.saysQuarantined);
    if (index.has(node, State.isProof)) this.#isStale = true;
  }

  /** The same for a refused entry. One that becomes void is forgotten: no other entry was judged by it. */
  #rejectNow(node: number, status: number): void {
    const { index, problems, rejects } = this.#of;
    const now = this.#statusOf(node);
    if (now === undefined) this.#reportBadWord(node);
    else this.#forgetBadWord(node);
    if (now === undefined) return;
    if (now !== Status.Void) {
      this.#isStale ||= now !== (index.has(node, State.saysQuarantined) ? Status.Quarantined : Status.Live);
      return;
    }
    index.setStatus(node, Status.Void);
    index.unmark(node, State.saysQuarantined);
    problems[status === Status.Rejected ? 'rejects' : 'notes'].remove(indexOf(node));
    if (status === Status.Rejected) rejects.remove(indexOf(node));
  }

  #typeOf(node: number): number {
    return this.#of.log.load32(stateOffset(indexOf(node)));
  }

  /** What an entry's state word says that it is: live, where it was judged or is to be; undefined for what no writer stores. */
  #statusOf(node: number): number | undefined {
    const { index, log } = this.#of;
    const word = log.load64(stateOffset(indexOf(node)));
    const directory = index.isDirectory(node);
    const type = Number(word & 0xffffffffn);
    if (type === liveType(directory)) return Status.Live;
    if (!index.has(node, State.oddPadding) && !isDeadWord(word, directory)) return undefined;
    return type === EntryType.Quarantined ? Status.Quarantined : type === EntryType.Void ? Status.Void : undefined;
  }

  #reportBadWord(node: number): void {
    const { index, log, problems: { badWords } } = this.#of;
    const at = indexOf(node);
    const tell = () => ({ reason: `its state word is 0x${log.load64(stateOffset(at)).toString(16)}, which no writer stores` });
    if (index.has(node, State.badWord)) return badWords.name(at, tell);
    index.mark(node, State.badWord);
    badWords.add(at, tell);
  }

  #forgetBadWord(node: number): void {
    const { index, problems: { badWords } } = this.#of;
    if (!index.has(node, State.badWord)) return;
    index.unmark(node, State.badWord);
    badWords.remove(indexOf(node));
  }
}

function liveType(directory: boolean): number {
  return directory ? EntryType.Directory : EntryType.File;
}

/** Whether the state word at an offset of the log is that of an entry's status. Of what is void, no more is asked than that it stays so. */
function isWordOf(state: number, log: Region, at: number): boolean {
  const saysQuarantined = (state & State.saysQuarantined) !== 0;
  switch (state & State.status) {
    case Status.Live:
    case Status.Rejected:
    case Status.Repeated:
      return saysQuarantined ? isQuarantinedWord(state, log, at) : log.load32(at) === liveType((state & State.directory) !== 0);
    case Status.Quarantined:
      return isQuarantinedWord(state, log, at);
    case Status.Void:
      return log.load32(at) !== (saysQuarantined ? EntryType.Void : EntryType.Quarantined);
    default:
      return true;
  }
}

function isQuarantinedWord(state: number, log: Region, at: number): boolean {
  return (state & State.oddPadding) !== 0 ? log.load32(at) === EntryType.Quarantined : log.load64(at) === StateWord.quarantined;
}
