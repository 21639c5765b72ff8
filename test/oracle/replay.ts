import { guardRanges, guardsFit } from './claim.ts';
import {
  ADD_DAXDEV, ENTRY, entryIsSound, FILE, MKDIR, type OracleExtent, QUARANTINED, readMap, readPath, VOID,
} from './entry.ts';
import { type Frame, type Image, readFrame } from './image.ts';

/**
 * A second opinion on what a pool's bytes mean: slow, simple, and written from the format's and the
 * protocol's documents alone. It imports nothing from src/ and shares no idea with it: a Map of
 * paths, an array of owned ranges, every range compared with every other.
 */
export interface OracleNode {
  readonly node: number;
  readonly parent: number;
  /** The path's last component, as latin1 text. */
  readonly name: string;
  readonly directory: boolean;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly extents: readonly OracleExtent[];
  readonly chunk: number;
}

export interface OracleProblem {
  readonly place: 'superblock' | 'log header' | 'log' | 'log entry' | 'claim';
  readonly index?: number;
  readonly severity: 'damage' | 'reject' | 'note';
}

export interface OracleTree {
  /** In ascending order of nodes, without the root. */
  readonly nodes: readonly OracleNode[];
  readonly problems: readonly OracleProblem[];
  /** The first slot behind what is valid. */
  readonly end: number;
  readonly freeBytes: number;
  readonly quarantinedBytes: number;
}

export type OracleVerdict = { readonly refused: 'superblock' | 'log header' | 'claim' } | OracleTree;

interface Owned extends OracleExtent {
  readonly index: number;
}

const ROOT = 1;

/** `mostRejects`: with more of them the pool counts as damaged, and nothing of it as free. */
export function oracle(image: Image, mostRejects = 4096): OracleVerdict {
  const frame = readFrame(image);
  if (typeof frame === 'string') return { refused: frame };
  const state = new State(frame, image.deviceSize);
  if (frame.sizeDiffers) state.problems.push({ place: 'superblock', severity: 'note' });
  const ranges = guardRanges(image.superblock, frame.slots);
  if (ranges === undefined || !guardsFit(image.superblock, image.log, ranges)) return { refused: 'claim' };
  const guarded = new Set(ranges.flatMap(([first, count]) => Array.from({ length: count }, (_, k) => first + k)));
  let end = 0;
  for (; end < frame.slots; end++) {
    if (guarded.has(end)) continue;
    const entry = image.log.subarray(48 + end * ENTRY, 48 + (end + 1) * ENTRY);
    if (!entryIsSound(entry, end)) break;
    state.apply(entry, end);
  }
  const nextSeqnum = image.log.readBigUInt64LE(32);
  const nextIndex = image.log.readBigUInt64LE(40);
  const { problems } = state;
  if (nextIndex > BigInt(frame.slots)) problems.push({ place: 'log header', severity: 'damage' });
  if (BigInt(end) < nextIndex && end < frame.slots) problems.push({ place: 'log entry', index: end, severity: 'damage' });
  if (nextIndex < BigInt(end)) problems.push({ place: 'log header', severity: 'note' });
  if (nextSeqnum !== nextIndex) problems.push({ place: 'log header', severity: 'note' });
  if (ranges.some(([first]) => first > end)) problems.push({ place: 'claim', severity: 'damage' });
  const tooMany = problems.filter(({ severity }) => severity === 'reject').length > mostRejects;
  if (tooMany) problems.push({ place: 'log', severity: 'damage' });
  return {
    nodes: [...state.live.values()].sort((a, b) => a.node - b.node),
    problems, end,
    freeBytes: tooMany ? 0 : freeBytes([...state.owned, ...state.held], frame),
    quarantinedBytes: bytesOf(state.owned.filter(({ index }) => state.quarantined.has(index))),
  };
}

class State {
  readonly live = new Map<string, OracleNode>();
  readonly problems: OracleProblem[] = [];
  readonly quarantined = new Set<number>();
  /** Memory of live and quarantined files. */
  owned: Owned[] = [];
  /** Memory of refused entries: allocated, and nobody's. */
  readonly held: OracleExtent[] = [];
  readonly #frame: Frame;
  readonly #deviceSize: number;

  constructor(frame: Frame, deviceSize: number) {
    this.#frame = frame;
    this.#deviceSize = deviceSize;
  }

  apply(entry: Buffer, index: number): void {
    const type = entry.readUInt32LE(8);
    if (type === FILE) this.#file(entry, index);
    else if (type === MKDIR) this.#directory(entry, index);
    else if (type === QUARANTINED) this.#dead(entry, index);
    else if (type !== ADD_DAXDEV && type !== VOID) this.problems.push({ place: 'log entry', index, severity: 'note' });
  }

  #file(entry: Buffer, index: number): void {
    const parts = readPath(entry.subarray(40, 120));
    const map = readMap(entry, this.#frame, this.#deviceSize);
    const parent = parts && this.#parent(parts);
    const sound = parts !== undefined && map.sound && parent !== undefined && !this.live.has(parts.join('/'));
    if (!sound || !this.#own(map.extents, index)) return this.#refuse(map.extents, index);
    this.live.set(parts.join('/'), {
      node: index + 2, parent, name: parts.at(-1)!, directory: false, size: map.size, mode: entry.readUInt32LE(36) & 0o7777,
      uid: entry.readUInt32LE(28), gid: entry.readUInt32LE(32), extents: map.extents, chunk: map.chunk,
    });
  }

  #directory(entry: Buffer, index: number): void {
    const parts = readPath(entry.subarray(28, 108));
    const parent = parts && this.#parent(parts);
    const there = parts && this.live.get(parts.join('/'));
    if (parts === undefined || parent === undefined || there !== undefined) {
      // Making a directory again is what the reference does without an error.
      this.problems.push({ place: 'log entry', index, severity: parent !== undefined && there?.directory === true ? 'note' : 'reject' });
      return;
    }
    this.live.set(parts.join('/'), {
      node: index + 2, parent, name: parts.at(-1)!, directory: true, size: 0, mode: entry.readUInt32LE(24) & 0o7777,
      uid: entry.readUInt32LE(16), gid: entry.readUInt32LE(20), extents: [], chunk: 0,
    });
  }

  /** A deleted file has no path any more, but holds its memory. */
  #dead(entry: Buffer, index: number): void {
    const map = readMap(entry, this.#frame, this.#deviceSize);
    if (!map.sound || !this.#own(map.extents, index)) return this.#refuse(map.extents, index);
    this.quarantined.add(index);
  }

  #refuse(extents: readonly OracleExtent[], index: number): void {
    this.held.push(...extents);
    this.problems.push({ place: 'log entry', index, severity: 'reject' });
  }

  #parent(parts: string[]): number | undefined {
    if (parts.length === 1) return ROOT;
    const parent = this.live.get(parts.slice(0, -1).join('/'));
    return parent?.directory === true ? parent.node : undefined;
  }

  /**
   * Takes memory for an entry, unless a live one has some of it, or two of its extents meet. Only an entry that gets it
   * proves something: quarantined files that had some of it are void (rule R2), and own nothing any more.
   */
  #own(extents: readonly OracleExtent[], index: number): boolean {
    const met = this.owned.filter((range) => extents.some((extent) => overlap(range, extent)));
    if (met.some((range) => !this.quarantined.has(range.index))) return false;
    if (extents.some((a, k) => extents.slice(k + 1).some((b) => overlap(a, b)))) return false;
    const proven = new Set(met.map((range) => range.index));
    this.owned = this.owned.filter((range) => !proven.has(range.index));
    this.owned.push(...extents.map((extent) => ({ ...extent, index })));
    return true;
  }
}

function bytesOf(ranges: readonly OracleExtent[]): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0);
}

function overlap(a: OracleExtent, b: OracleExtent): boolean {
  return a.start < b.end && b.start < a.end;
}

/** What of the allocatable area is in none of the ranges. */
function freeBytes(ranges: readonly OracleExtent[], { dataStart, allocatableEnd }: Frame): number {
  let free = 0;
  let at = dataStart;
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    free += Math.max(0, Math.min(start, allocatableEnd) - at);
    at = Math.max(at, end);
  }
  return free + Math.max(0, allocatableEnd - at);
}
