/**
 * npm run test:quick: types, lint and the unit tests, at once. What it finds comes in blocks; the last line is that
 * of the unit tests, `N passed, N failed, N skipped`. Arguments go to mocha, as in `npm run test:quick -- -g claim`.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runBlock, type Block } from './harness/block.ts';
import { cache, root } from './harness/paths.ts';
import { seconds } from './harness/results.ts';

const began = performance.now();
const bin = join(root, 'node_modules/.bin');

const failed: string[] = [];

function say(title: string, { ms, code, output }: Block): void {
  console.log(`== ${title}: ${seconds(ms)}\n${output}`.trimEnd());
  if (code !== 0) failed.push(title);
}

/** What types and style are about, one after the other: together they take as long as the tests. */
async function check(): Promise<void> {
  mkdirSync(cache, { recursive: true });
  // What has not changed since the last time is not looked at again.
  const known = ['--incremental', '--tsBuildInfoFile', join(cache, 'types.tsbuildinfo')];
  say('types', await runBlock(join(bin, 'tsc'), ['--noEmit', ...known]));
  say('lint', await runBlock(join(bin, 'eslint'), ['--quiet', '.']));
}

const mocha = process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [];
process.env['FAMFS_TEST_HOLD_TIMES'] = 'true';
const tests = runBlock(process.execPath, [join(root, 'test/run.ts'), 'unit', ...mocha]);
await check();
const unit = await tests;
console.log(`== whole: ${seconds(performance.now() - began)}${failed.length > 0 ? `; FAILED: ${failed.join(', ')}` : ''}`);
say('unit tests', unit);
if (failed.length > 0) process.exitCode = 1;
