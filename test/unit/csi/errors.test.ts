import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { refuse, toStatus } from '../../../src/csi/errors.ts';
import { FamfsError } from '../../../src/famfs/errors.ts';

describe('errors at the CSI edge', () => {
  for (const [what, error, code] of [
    ['a refusal', refuse.precondition('x'), status.FAILED_PRECONDITION],
    ['no room now', new FamfsError('NO_SPACE', 'x'), status.RESOURCE_EXHAUSTED],
    ['no slot left', new FamfsError('LOG_FULL', 'x'), status.RESOURCE_EXHAUSTED],
    ['never room', new FamfsError('TOO_LARGE', 'x'), status.OUT_OF_RANGE],
    ['a pool of another cluster', new FamfsError('FOREIGN', 'x'), status.UNAVAILABLE],
    ['a lost claim', new FamfsError('CLAIM_LOST', 'x'), status.UNAVAILABLE],
    ['another server\'s answer', Object.assign(new Error('5 NOT_FOUND: x'), { code: status.NOT_FOUND, details: 'x' }), status.NOT_FOUND],
    ['a failed system call', Object.assign(new Error('x'), { code: 'EACCES' }), status.INTERNAL],
    ['anything else', 'x', status.INTERNAL],
  ] as const) {
    it(`${what} is ${status[code]}`, () => assert.deepEqual(toStatus(error), { code, details: 'x' }));
  }

  it('cuts words to 256 bytes, wherever they stand, and leaves the sentence around them', () => {
    const long = 'ä'.repeat(100_000);
    for (const error of [refuse.precondition(`${long} is published: unpublish it`), new FamfsError('IN_USE', `${long} is published: unpublish it`)]) {
      assert.equal(toStatus(error).details, `${'ä'.repeat(128)}… is published: unpublish it`);
    }
    const word = 'x'.repeat(256);
    assert.equal(toStatus(refuse.invalid(`${word} and ${word}x`)).details, `${word} and ${word}…`);
  });

  it('cuts texts of many words to 2 KiB', () => {
    const { details } = toStatus(new Error('word '.repeat(100_000)));
    assert.equal(details, `${'word '.repeat(409)}wor…`);
  });

  it('leaves no half of a character, which gRPC cannot encode', () => {
    for (const text of ['\ud800', `${'x'.repeat(254)}😀 y`, `${'word '.repeat(409)}w😀`]) {
      assert.doesNotThrow(() => encodeURI(toStatus(new Error(text)).details));
    }
  });
});
