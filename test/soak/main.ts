/**
 * `npm run soak [-- --minutes N]`: an hour of everything at once on one mount, whose memory must be
 * flat. Prints a line each few seconds, then the sums; exits non-zero with the reasons when something is wrong.
 */
import { parseArgs } from 'node:util';
import { apart } from '../faults/apart.ts';
import { randomFor } from '../faults/seed.ts';
import { fuseMissing } from '../harness/prerequisites.ts';
import { fioMissing } from './fio.ts';
import { soak } from './soak.ts';

/** With less, there is too little of a calm to judge. */
const LEAST_MINUTES = 2;

async function run(minutes: number): Promise<boolean> {
  const missing = fuseMissing() ?? fioMissing();
  if (missing !== undefined) {
    console.error(`${missing}: the soak needs it (npm run bench:install -- --install installs fio)`);
    return false;
  }
  const problems = await soak({ minutes, random: randomFor('soak'), fio: true, say: console.log })
    .catch((error: Error) => [error.stack ?? error.message]);
  for (const problem of problems) console.log(`WRONG   ${problem}`);
  if (problems.length === 0) console.log(`ok      ${minutes} minutes: 0 errors, 0 mismatches, memory is flat, nothing is left`);
  return problems.length === 0;
}

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } });
const minutes = Number(values.minutes);
if (!(minutes >= LEAST_MINUTES)) {
  console.error(`--minutes takes a number from ${LEAST_MINUTES} on, not ${values.minutes}`);
  process.exit(2);
}
process.exitCode = await apart(`--minutes=${minutes}`, () => run(minutes)) ? 0 : 1;
