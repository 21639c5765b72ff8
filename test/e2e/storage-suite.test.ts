/** Kubernetes' own tests of CSI drivers: those that a volume with one fixed file can pass, and of the others some of each kind. */
import assert from 'node:assert/strict';
import { prepareSuite, runSuite, summarise } from './suite/run-suite.ts';
import { isInShortRun } from './suite/selection.ts';
import { promise } from './support/scene.ts';

const BUILD_MS = 140 * 60_000;

promise("Kubernetes' own storage tests", () => {
  let program = '';

  before(async function () {
    this.timeout(BUILD_MS);
    program = await prepareSuite('famfs');
  });

  it('pass where they neither create nor truncate in a volume, and else fail with what our mount answers', async () => {
    const verdicts = await runSuite(program, isInShortRun, () => {});
    console.log(summarise(verdicts).map((line) => `      ${line}`).join('\n'));
    assert.deepEqual(verdicts.filter(({ kind }) => kind === 'wrong'), []);
    assert.ok(verdicts.length > 20, 'hardly any test was chosen');
  });
});
