import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attachCounters, openCounters, readTotals } from '../../../../../src/famfs/fuse/host-state/counters-file.ts';
import { Opcode } from '../../../../../src/famfs/fuse/protocol/abi.ts';
import { monotonicMs } from '../../../../../src/famfs/host.ts';
import { tempDir } from '../../../../harness/temp.ts';

describe('counters of a session', () => {
  const file = join(tempDir('counters'), 'sessions', '1.counters');

  it('are the sum over its workers, for whoever reads their file', () => {
    const handle = openCounters(file, 3);
    const counters = attachCounters(handle);
    counters.of(0).count(Opcode.Read, 0);
    counters.of(1).count(Opcode.Read, -5);
    counters.of(2).count(Opcode.Write, 0);
    counters.of(2).count(60, -38);
    const before = monotonicMs();
    attachCounters(handle).recordLook(17);
    const { operations, errors, replayed, lookedAtMs } = readTotals(file)!;
    assert.deepEqual([operations[Opcode.Read], operations[Opcode.Write], operations[0]], [2, 1, 1]);
    assert.deepEqual([errors[Opcode.Read], errors[Opcode.Write], errors[0]], [1, 0, 1]);
    assert.equal(replayed, 17);
    assert.ok(lookedAtMs >= before && lookedAtMs <= monotonicMs());
  });

  it('go on where a serving process has died, which is counted', () => {
    attachCounters(openCounters(file, 3)).of(1).count(Opcode.Read, 0);
    const { operations, restarts } = readTotals(file)!;
    assert.deepEqual([operations[Opcode.Read], restarts], [3, 1]);
  });

  it('begin at zero in another layout, without touching those that somebody still has mapped', () => {
    const old = attachCounters(openCounters(file, 1));
    openCounters(file, 2);
    old.of(0).count(Opcode.Read, 0);
    assert.deepEqual([readTotals(file)!.operations[Opcode.Read], readTotals(file)!.restarts], [0, 0]);
    assert.equal(old.total()!.operations[Opcode.Read], 1);
  });

  it('are not read from a file that holds something else', () => {
    openCounters(file, 2);
    const bytes = readFileSync(file);
    writeFileSync(file, Buffer.alloc(bytes.length));
    assert.equal(readTotals(file), undefined, 'no magic');
    writeFileSync(file, bytes);
    truncateSync(file, bytes.length - 8);
    assert.equal(readTotals(file), undefined, 'too short for its workers');
    truncateSync(file, 8);
    assert.equal(readTotals(file), undefined, 'too short for a header');
    assert.equal(readTotals(`${file}.none`), undefined);
  });
});
