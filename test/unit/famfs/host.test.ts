import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../../harness/paths.ts';

/** Looks at the clock twice: with descriptors, and without one. */
const script = `
  import fs from 'node:fs';
  import { bootId, uptimeMs } from '${join(root, 'src/famfs/host.ts')}';
  const before = [bootId(), uptimeMs()];
  try {
    for (;;) fs.openSync('/dev/null', 'r');
  } catch (error) {
    console.log(JSON.stringify({ code: error.code, before, after: [bootId(), uptimeMs()] }));
  }`;

describe('the clock and the boot id of a host', () => {
  it('are known to a process that has no descriptor left, or it would lose its lease', () => {
    const { stdout, stderr } = spawnSync('prlimit', ['--nofile=64:64', process.execPath, '--input-type=module', '--eval', script], { encoding: 'utf8' });
    assert.notEqual(stdout, '', stderr);
    const { code, before, after } = JSON.parse(stdout) as { code: string; before: [string, number]; after: [string, number] };
    assert.equal(code, 'EMFILE');
    assert.equal(after[0], before[0]);
    assert.ok(after[1] >= before[1]);
  });
});
