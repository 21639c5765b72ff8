/** Scripts for guests, as named steps whose exit codes and output the tests then look at. */

import { join } from 'node:path';
import { cache } from '../harness/paths.ts';

/** One step's result. */
export interface Step {
  exitCode: number;
  output: string;
}

const begin = 'step-begins';
const end = 'step-ended';

/** Where this machine keeps what Node.js has compiled in guests: that takes long when a processor is emulated. */
export const compiledByGuests = join(cache, 'compiled-in-guests');

/** Keeps what Node.js compiles in a directory of the guest. */
export const compileCache = (directory: string): string => `export NODE_COMPILE_CACHE=${directory}`;

/** Put before a script: `step NAME COMMAND...` runs a command and marks its output. */
export const prelude = `
${compileCache('/tmp/compiled')}
[ ! -d ${compiledByGuests} ] || cp -r ${compiledByGuests} /tmp/compiled
step() {
  local name=$1 code; shift
  echo "${begin} $name"
  timeout -k 1 120 "$@" 2>&1; code=$?
  echo; echo "${end} $name $code"
}
`;

/** Makes the real /dev/dax0.0, or keeps the one that another guest made on the same memory. */
export const devdax = `
[ -e /dev/dax0.0 ] || step namespace ndctl create-namespace -f -e namespace0.0 -m devdax --map=mem
`;

/** The steps of a script's output, by name; a step that never ended is not among them. */
export function parseSteps(output: string): Map<string, Step> {
  const steps = new Map<string, Step>();
  let lines: string[] = [];
  for (const line of output.split('\n')) {
    const [word, name, code] = line.split(' ');
    if (word === begin) lines = [];
    else if (word !== end) lines.push(line);
    else steps.set(name, { exitCode: Number(code), output: lines.join('\n').trim() });
  }
  return steps;
}
