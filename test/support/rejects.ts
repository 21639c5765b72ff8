import assert from 'node:assert/strict';
import { FamfsError, type FamfsErrorCode } from '../../src/famfs/errors.ts';

/** Waits for a failure of the library with this code and a message that matches. */
export const rejects = (work: Promise<unknown>, code: FamfsErrorCode, text: RegExp): Promise<void> =>
  assert.rejects(work, (error: unknown) => {
    assert(error instanceof FamfsError);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, text);
    return true;
  });
