import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TouchingPrograms } from '../../../../../src/famfs/fuse/mount/programs.ts';
import { tempDir } from '../../../../harness/temp.ts';
import { until } from '../../../../support/until.ts';

describe('programs that touch mounts', () => {
  const hanging = { code: 'NOT_ANSWERING', message: /pool slow/ };

  it('run one at a time for each pool, and answer how they ended', async () => {
    const programs = new TouchingPrograms();
    const file = join(tempDir('programs'), 'file');
    const alone = ['-c', 'mkdir "$0" && sleep 0.05 && rmdir "$0"; echo "$1"; exit 3', file];
    const ends = await Promise.all(['a', 'b', 'c'].map((text) => programs.run('pool', 'sh', [...alone, text])));
    assert.deepEqual(ends, ['a', 'b', 'c'].map((output) => ({ code: 3, output })));
    await assert.rejects(programs.run('pool', join(file, 'none'), []), { code: 'DEVICE', message: /cannot be run/ });
  });

  it('that do not end in time fail for all who wait for that pool, and for no other', async () => {
    const programs = new TouchingPrograms(300);
    const began = performance.now();
    const [first, second] = [programs.run('slow', 'sleep', ['infinity']), programs.run('slow', 'true', [])];
    const both = Promise.all([assert.rejects(first, hanging), assert.rejects(second, hanging)]);
    assert.equal((await programs.run('quick', 'true', [])).code, 0);
    await both;
    assert.ok(performance.now() - began >= 300);
    await until(async () => assert.equal((await programs.run('slow', 'true', [])).code, 0)); // it was killed
  });

  it('that do not even end when they are killed keep their pool busy until they have', async () => {
    const programs = new TouchingPrograms(300);
    const fifo = join(tempDir('programs'), 'fifo');
    execFileSync('mkfifo', [fifo]);
    await assert.rejects(programs.run('slow', 'sh', ['-c', 'cat "$0" & wait', fifo]), hanging); // its child lives on
    for (let k = 0; k < 3; k++) await assert.rejects(programs.run('slow', 'true', []), hanging);
    assert.equal((await programs.run('quick', 'true', [])).code, 0);
    writeFileSync(fifo, '');
    await until(async () => assert.equal((await programs.run('slow', 'true', [])).code, 0));
  });
});
