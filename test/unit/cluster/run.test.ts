import assert from 'node:assert/strict';
import { pipe, run } from '../../cluster/run.ts';

describe('running a program', () => {
  it('gives what it printed, fed with the input', async () => {
    assert.equal(await run('sh', ['-c', 'cat; echo $word'], { input: 'one\n', env: { word: 'two' } }), 'one\ntwo\n');
  });

  it('fails with the command, how it ended and what it said', async () => {
    await assert.rejects(run('sh', ['-c', 'echo bad >&2; exit 3']), { message: "'sh -c echo bad >&2; exit 3' ended with exit code 3:\nbad" });
    await assert.rejects(run('sh', ['-c', 'kill -9 $$']), /ended with SIGKILL/);
    await assert.rejects(run('/no/such/program', []), /\/no\/such\/program cannot be run/);
  });

  it('fails when it takes longer than it may', async () => {
    await assert.rejects(run('sleep', ['1000'], { limitMs: 1 }), { message: "'sleep 1000' did not end in time" });
  });

  it('fails when it neither says nor calculates anything, and not because it takes long', async () => {
    await assert.rejects(run('sleep', ['1000'], { idleMs: 1 }), { message: "'sleep 1000' stood still" });
    assert.equal(await run('sh', ['-c', 'sleep 0.1; echo done'], { idleMs: 600_000 }), 'done\n');
  });

  it('fails when it does not read its input', async () => {
    await assert.rejects(run('sh', ['-c', 'exit 1'], { input: 'x'.repeat(1 << 20) }), /exit code 1/);
  });

  it('hands one program the output of another', async () => {
    assert.equal(await pipe(['printf', 'b\na\n'], ['sort']), 'a\nb\n');
  });

  it('fails when either end of a pipe does', async () => {
    await assert.rejects(pipe(['sh', '-c', 'echo half; exit 4'], ['cat']), /exit code 4/);
    await assert.rejects(pipe(['head', '-c', '1000000', '/dev/zero'], ['sh', '-c', 'echo full >&2; exit 5']), /exit code 5:\nfull/);
  });
});
