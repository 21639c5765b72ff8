import assert from 'node:assert/strict';
import { isBad } from '../../../../../src/famfs/fuse/host-state/bad-ranges.ts';
import type { CurrentRequest } from '../../../../../src/famfs/fuse/host-state/counters.ts';
import { Opcode } from '../../../../../src/famfs/fuse/protocol/abi.ts';
import { CrashHistory } from '../../../../../src/famfs/fuse/session/crash-history.ts';

const request = (unique: string, more: Partial<CurrentRequest> = {}): CurrentRequest =>
  ({ unique, opcode: Opcode.Write, node: 7, offset: 5000, length: 100, ...more });

describe('deaths of serving processes', () => {
  it('make what was under way suspect, and nobody guilty, the first time', () => {
    const history = new CrashHistory();
    assert.deepEqual(history.findings, { bad: [], refused: [], careful: false });
    assert.deepEqual(history.add([request('a'), request('b')]), []);
    assert.deepEqual(history.findings, { bad: [], refused: [], careful: true });
  });

  it('of one request twice make it guilty, with the pages that it touches', () => {
    const history = new CrashHistory();
    history.add([request('a'), request('b')]);
    assert.deepEqual(history.add([request('b', { offset: 5000, length: 4096 })]).map(({ unique }) => unique), ['b']);
    assert.deepEqual(history.findings, { bad: [{ node: 7, offset: 4096, length: 8192 }], refused: ['b'], careful: false });
  });

  it('of requests that are no READ and no WRITE leave no part of a file bad', () => {
    const history = new CrashHistory();
    const lookup = request('a', { opcode: Opcode.Lookup });
    history.add([lookup]);
    history.add([lookup]);
    assert.deepEqual(history.findings, { bad: [], refused: ['a'], careful: false });
  });

  it('one after the other of different requests make none of them guilty', () => {
    const history = new CrashHistory();
    for (const unique of ['a', 'b', 'c']) assert.deepEqual(history.add([request(unique)]), []);
    assert.deepEqual(history.bad, []);
  });
});

describe('a bad part of a file', () => {
  const bad = [{ node: 7, offset: 4096, length: 4096 }];

  it('is met by whatever overlaps it in that file', () => {
    assert.deepEqual([[0, 4096], [0, 4097], [8191, 1], [8192, 1]].map(([at, length]) => isBad(bad, 7, at, length)), [false, true, true, false]);
    assert.equal(isBad(bad, 8, 4096, 4096), false);
  });
});
