/** Runs csi-sanity against sockets and reads its report. */
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { MIB } from '../../src/famfs/units.ts';

/** What became of one check. */
export interface Check {
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly message: string;
}

/** What csi-sanity connects to and may use. */
export interface SanityTarget {
  readonly endpoint: string;
  readonly controllerEndpoint: string;
  /** A directory of its own. */
  readonly directory: string;
  /** Parameters of the volumes it makes. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Where all of this is, when not here: a command that runs another one there. */
  readonly through?: readonly string[];
}

interface SpecReport {
  readonly ContainerHierarchyTexts: string[] | null;
  readonly LeafNodeText: string;
  readonly LeafNodeType: string;
  readonly State: string;
  readonly Failure?: { readonly Message?: string };
}

const LIMIT_MS = 5 * 60_000;

/**
 * csi-sanity connects anew for every check, and can miss the moment at which its connection became
 * ready: then it waits for a minute and gives up, although it is connected and the server answers.
 */
const MISSED_CONNECTION = /Connection timed out/;

/**
 * Runs every check, one after the other, and answers what became of each. Only a check that never
 * began, because csi-sanity missed its own connection, is run once more.
 */
export async function runSanity(program: string, target: SanityTarget): Promise<Check[]> {
  const checks = await run(program, target, []);
  const missed = checks.filter(({ state, message }) => state === 'failed' && MISSED_CONNECTION.test(message));
  if (missed.length === 0) return checks;
  const again = await run(program, target, missed.map(({ name }) => `--ginkgo.focus= ${name.replace(/[^\w ]/g, '\\$&')}$`));
  return checks.map((check) => (missed.includes(check) ? again.find(({ name }) => name === check.name) ?? check : check));
}

async function run(program: string, target: SanityTarget, options: readonly string[]): Promise<Check[]> {
  const report = join(target.directory, 'report.json');
  // The file holds what --help calls a YAML document; JSON is one. Written there, whatever "there" is.
  const parameters = join(target.directory, 'parameters.yaml');
  const [shell, ...rest] = [...target.through ?? [], 'sh', '-c', 'printf %s "$1" > "$0"', parameters, JSON.stringify(target.parameters ?? {})];
  execFileSync(shell, rest);
  const [command, ...before] = [...target.through ?? [], program];
  const child = spawn(command, [
    ...before,
    `--csi.endpoint=unix://${target.endpoint}`, `--csi.controllerendpoint=unix://${target.controllerEndpoint}`,
    `--csi.mountdir=${join(target.directory, 'mount')}`, `--csi.stagingdir=${join(target.directory, 'staging')}`,
    `--csi.testvolumeparameters=${parameters}`,
    `--csi.testvolumesize=${8 * MIB}`, `--ginkgo.json-report=${report}`, '--ginkgo.no-color', '--ginkgo.succinct',
    ...options,
  ], { stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT_MS, killSignal: 'SIGKILL' });
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const suites = readReport([...target.through ?? [], 'cat', report], () => Buffer.concat(output).toString());
  return suites.flatMap((suite) => suite.SpecReports).map((spec) => ({
    name: [...spec.ContainerHierarchyTexts ?? [], spec.LeafNodeText || spec.LeafNodeType].join(' '),
    state: stateOf(spec.State),
    message: spec.Failure?.Message ?? '',
  }));
}

/** Whatever is neither good nor left out is a failure: panicked, interrupted, timed out. */
function stateOf(state: string): Check['state'] {
  if (state === 'passed') return 'passed';
  return state === 'skipped' || state === 'pending' ? 'skipped' : 'failed';
}

function readReport([command, ...args]: readonly string[], output: () => string): { SpecReports: SpecReport[] }[] {
  try {
    return JSON.parse(execFileSync(command, args, { encoding: 'utf8', maxBuffer: 64 * MIB })) as { SpecReports: SpecReport[] }[];
  } catch (error) {
    throw new Error(`csi-sanity wrote no report; it said:\n${output()}`, { cause: error });
  }
}
