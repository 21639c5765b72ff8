import assert from 'node:assert/strict';
import { claimProblems } from '../../src/famfs/fsck/claim-problems.ts';
import { describeProblem } from '../../src/famfs/log/problem.ts';
import { Replayer } from '../../src/famfs/log/replayer.ts';
import { readTree } from '../fuzz/tree.ts';
import type { RecordingDevice } from '../support/recording-device.ts';
import { readAsReference } from '../support/reference-reader.ts';
import { directoryLine, extentsOf, fileLine, type Line, type Lines, same, text } from './lines.ts';

/** What readers may see while something is done. */
export interface Allowed {
  /** The trees that a reader may see, in the order of time: most often the old and the new one. */
  readonly trees: readonly Lines[];
  /** What was acknowledged and not asked to be deleted: seen by every reader at every moment. */
  readonly acknowledged: Lines;
  /** The byte that fills a file, where its owner has written; zero elsewhere. */
  readonly contents: ReadonlyMap<Line, number>;
  /** What may be wrong all the same, and is none of the writer's doing. */
  readonly despite?: Despite;
}

/** Stores of a late writer, which a heartbeat restores; entries that another program wrote and readers refuse. */
export type Despite = 'late stores' | 'refused entries';

/** Opens the image as a fresh reader and as fsck would. Throws AssertionError when it finds anything. */
export function openFresh(device: RecordingDevice, despite?: Despite): Replayer {
  const replayer = Replayer.create(device);
  mustBeSound(replayer, despite);
  return replayer;
}

/** Throws AssertionError where fsck would not be content. */
export function mustBeSound(replayer: Replayer, despite?: Despite): void {
  const harmless = despite === 'refused entries' ? ['note', 'reject'] : ['note'];
  const problems = [...replayer.problems, ...claimProblems(replayer.ring)].filter(({ severity }) => !harmless.includes(severity));
  assert.deepEqual(problems.map(describeProblem), [], 'fsck is not content');
}

/** The tree that a replay gives. */
export function linesOf(replayer: Replayer): Set<Line> {
  const { view, geometry } = replayer;
  return new Set(readTree(view, geometry.capacity, true).map(({ node, directory, size, extents }) => {
    const path = view.path(node);
    return directory ? directoryLine(path) : fileLine(path, size, extents.map(({ start, end }) => ({ offset: start, length: end - start })));
  }));
}

/**
 * Judges an image by all readers at once, and answers which of the allowed trees they see.
 * Throws AssertionError when a reader sees anything else: damage, half a change, memory of two
 * files, bytes of another file, or when the reference tools do. `atRest`: nothing is under way.
 */
export function judge(device: RecordingDevice, allowed: Allowed, following?: Replayer, atRest = false): number {
  const { despite } = allowed;
  const fresh = openFresh(device, despite);
  const lines = linesOf(fresh);
  const which = allowed.trees.findIndex((tree) => same(tree, lines));
  if (which < 0) assert.fail(`a fresh reader sees\n${text(lines)}\nand not one of\n${allowed.trees.map(text).join('\nor\n')}`);
  if (following !== undefined) {
    following.catchUp();
    mustBeSound(following, despite);
    const followed = linesOf(following);
    if (!same(followed, lines)) assert.equal(text(followed), text(lines), 'a reader that followed sees another tree than a fresh one');
    if (atRest) assert.deepEqual(following.view.usage(), fresh.view.usage(), 'a reader that followed counts otherwise than a fresh one');
  }
  mustNotOverlap(lines);
  judgeContents(device, fresh, lines, allowed.contents);
  const isTheirs = despite === 'refused entries' || (despite === 'late stores' && !atRest);
  if (!isTheirs) judgeReference(device, allowed);
  return which;
}

/**
 * Judges what readers see that followed, and a fresh one, and answers it. Throws AssertionError when
 * they do not agree, something acknowledged is not there, or a file has memory or bytes of another.
 */
export function judgeReaders(device: RecordingDevice, following: readonly Replayer[], acknowledged: Lines, contents: Allowed['contents']): Set<Line> {
  const fresh = openFresh(device);
  const lines = linesOf(fresh);
  for (const reader of following) {
    reader.catchUp();
    mustBeSound(reader);
    const seen = linesOf(reader);
    if (!same(seen, lines)) assert.equal(text(seen), text(lines), 'a reader that followed sees another tree than a fresh one');
  }
  for (const line of acknowledged) assert(lines.has(line), `${line} was acknowledged and is lost; there is\n${text(lines)}`);
  mustNotOverlap(lines);
  judgeContents(device, fresh, lines, contents);
  return lines;
}

/** Each file has its own bytes, and memory that belongs to nobody is zero. */
function judgeContents(device: RecordingDevice, replayer: Replayer, lines: Lines, contents: Allowed['contents']): void {
  for (const line of lines) {
    const byte = contents.get(line) ?? 0;
    for (const { start, end } of extentsOf(line)) mustBeFilled(device, start, end, byte, line);
  }
  for (const { start, end } of replayer.freeRuns(replayer.geometry.allocatable)) mustBeFilled(device, start, end, 0, 'free memory');
}

/** The reference tools see no dead file, no bad entry and no overlap, and all that was acknowledged. */
export function judgeReference(device: RecordingDevice, { trees, acknowledged }: Pick<Allowed, 'trees' | 'acknowledged'>): void {
  const seen = readAsReference(device.bytes);
  const { refused, bad, errors, collisions } = seen;
  assert.deepEqual({ refused, bad, errors, collisions }, { refused: undefined, bad: [], errors: [], collisions: 0 }, 'the reference tools are not content');
  const lines = new Set([...seen.directories.map(directoryLine), ...seen.files.map(({ path, size, extents }) => fileLine(path, size, extents))]);
  for (const line of lines) assert(trees.some((tree) => tree.has(line)), `the reference tools see ${line}, which is not there`);
  for (const line of acknowledged) assert(lines.has(line), `the reference tools do not see ${line}`);
}

function mustNotOverlap(lines: Lines): void {
  const taken = [...lines].flatMap((line) => extentsOf(line).map((extent) => ({ ...extent, line }))).sort((a, b) => a.start - b.start);
  for (const [k, { start, line }] of taken.entries()) {
    assert(k === 0 || taken[k - 1].end <= start, `${line} and ${taken[k - 1]?.line} have the same memory`);
  }
}

const filled = new Map<number, Buffer>();

function mustBeFilled({ bytes }: RecordingDevice, start: number, end: number, byte: number, what: string): void {
  let wanted = filled.get(byte);
  if (wanted === undefined || wanted.length < end - start) filled.set(byte, wanted = Buffer.alloc(end - start, byte));
  if (wanted.compare(bytes, start, end, 0, end - start) === 0) return;
  const at = bytes.subarray(start, end).findIndex((found) => found !== byte);
  assert.fail(`${what}: byte ${start + at} is ${bytes[start + at]}, not ${byte}`);
}
