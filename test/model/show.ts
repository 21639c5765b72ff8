/**
 * node test/model/show.ts [NAME]: prints how an invariant comes to be violated without the rule NAME, statement
 * by statement. Without a name: all names.
 */
import { spawnSync } from 'node:child_process';
import { check, defineOptions, discard, everyRun, MODEL } from './checker.ts';
import { switches } from './configurations.ts';
import { readModel } from './source.ts';

const name = process.argv[2];
const configuration = switches.find((one) => one.name === name);
if (configuration === undefined) {
  console.log(switches.map((one) => `${one.name.padEnd(30)} ${one.violates}`).join('\n'));
  process.exit(name === undefined ? 0 : 2);
}
const verdict = await check(configuration, { ...everyRun, shortest: true });
const { stdout } = spawnSync('spin', ['-t', '-p', ...defineOptions(configuration), MODEL], {
  cwd: verdict.directory, encoding: 'utf8', maxBuffer: 2 ** 28,
});
discard(verdict);
const { origin, lines } = readModel(configuration.model);
let before = '';
for (const [, number, processName, line] of stdout.matchAll(/proc\s+(\d+) \((\w+):\d+\) \S+:(\d+) \(state \d+\)\s+\[/g)) {
  const place = origin[Number(line)].replace('docs/model/', '');
  // Whoever only looks has nothing to tell, nor has a loop.
  if (processName === 'FreshReader' || place.startsWith('replay.pml') || before === `${number} ${line}`) continue;
  before = `${number} ${line}`;
  const text = lines[Number(line)].trim();
  if (/^(do|od;?|fi;?|if|\{|\};?|:: else.*|atomic \{|d_step \{|inline .*|number\+\+)$/.test(text)) continue;
  console.log(`${`${processName} ${number}`.padEnd(10)} ${place.padEnd(18)} ${text}`);
}
console.log(`violated: ${verdict.violated} (expected ${configuration.violates})`);
