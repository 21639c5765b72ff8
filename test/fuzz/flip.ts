import assert from 'node:assert/strict';
import { FamfsError } from '../../src/famfs/errors.ts';
import { claimProblems } from '../../src/famfs/fsck/claim-problems.ts';
import { Replayer } from '../../src/famfs/log/replayer.ts';
import type { Base, Expected } from './bases.ts';
import type { Patch } from './patch.ts';
import type { Random } from './random.ts';
import type { Region, Span } from './regions.ts';
import { ALL_NAMED, problemKey, readTree, treeSum } from './tree.ts';

/**
 * Changes up to 4 neighbouring bytes of a span, never to what they were: a flipped bit, a byte, or
 * a burst. A CRC-32 finds every such change.
 */
export function flip(random: Random, patch: Patch, span: Span): string {
  const at = span.at + random.below(span.length);
  const kind = random.below(4);
  const length = kind < 3 ? 1 : Math.min(1 + random.below(4), span.at + span.length - at);
  const bytes = patch.open(at, length);
  const before = bytes.toString('hex');
  if (kind < 2) bytes[0] ^= 1 << random.below(8);
  else for (let k = 0; k < length; k++) bytes[k] ^= 1 + random.below(255);
  return `${length} bytes at ${at}: ${before} -> ${bytes.toString('hex')}`;
}

/** Replays a damaged image, and throws AssertionError unless it is as the table says. */
export function checkFlip(base: Base, region: Region, span: Span, lookUp: boolean): void {
  const { device } = base;
  const { place, gives } = region;
  let replayer: Replayer;
  try {
    replayer = Replayer.create(device, ALL_NAMED);
  } catch (error) {
    assert(error instanceof FamfsError, String(error));
    assert.match(error.code, /^(NOT_FAMFS|DAMAGED)$/);
    assert(region.refused === true && error.message.startsWith(`${device.path}: ${place}: `), error.message);
    return;
  }
  assert(region.refused !== true, 'it was not refused');
  const claims = place === 'claim' ? claimProblems(replayer.ring) : [];
  if (place === 'claim') assert(claims.length > 0, 'nothing was reported at the claim');
  if (gives === 'shorter prefix') {
    const index = span.index!;
    const left = place === 'claim' ? base.withoutClaims() : base.before(index);
    assert(left.end === index && index < base.whole.end, 'the table itself is wrong');
    const promised = index < base.nextIndex;
    expect(replayer, base, left, lookUp);
    if (promised) assert(replayer.problems.some((problem) => problem.place === 'log entry' && problem.index === index && problem.severity === 'damage'));
    return;
  }
  if (gives === 'same tree') return expect(replayer, base, base.whole, lookUp);
  if (place === 'claim') return expect(replayer, base, base.whole, lookUp);
  assert(treeSum(readTree(replayer.view, base.slots, lookUp)) === base.whole.sum, 'the tree changed');
  assert(replayer.end === base.whole.end, 'the end moved');
  const told = replayer.problems.some((problem) => problem.place === place && !base.reasons.has(problem.reason));
  assert(told, `reported: ${problemKey(replayer.problems)}`);
}

function expect(replayer: Replayer, base: Base, { sum, end, problems }: Expected, lookUp: boolean): void {
  assert(replayer.end === end, `the end is ${replayer.end}, not ${end}`);
  const reported = problemKey(replayer.problems);
  assert(reported === problems, `reported "${reported}", not "${problems}"`);
  assert(treeSum(readTree(replayer.view, base.slots, lookUp)) === sum, 'the tree is another one');
}
