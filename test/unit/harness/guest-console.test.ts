import assert from 'node:assert/strict';
import { parseConsole } from '../../vm/guest.ts';
import { parseSteps } from '../../vm/steps.ts';

describe('guest console', () => {
  it('gives what the script printed, and its exit code', () => {
    const text = '[ 1.0] boot\nguest-script-begins\none\ntwo\nguest-script-ended 3\n[ 9.0] down\n';
    assert.deepEqual(parseConsole(text), { exitCode: 3, output: 'one\ntwo' });
  });

  it('has no exit code when the guest panicked, before the script or in it', () => {
    assert.deepEqual(parseConsole('[ 1.0] Kernel panic'), { exitCode: undefined, output: '' });
    const text = 'guest-script-begins\none\n[ 2.0] Kernel panic';
    assert.deepEqual(parseConsole(text), { exitCode: undefined, output: 'one\n[ 2.0] Kernel panic' });
  });

  it('is cut into steps, without one that never ended', () => {
    const text = 'step-begins a\nx\ny\n\nstep-ended a 0\nnoise\nstep-begins b\n\nstep-ended b 7\nstep-begins c\nz';
    assert.deepEqual(
      [...parseSteps(text)],
      [
        ['a', { exitCode: 0, output: 'x\ny' }],
        ['b', { exitCode: 7, output: '' }],
      ],
    );
  });
});
