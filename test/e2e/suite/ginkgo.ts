/** Kubernetes' own storage tests: which there are, and how one of them ends. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { environment } from '../support/kubectl.ts';

const SPEC_MS = 15 * 60_000;
const LAST_LINES = 20;

/** What ginkgo tells of one test, as far as we look into it. */
export interface SpecReport {
  readonly ContainerHierarchyTexts: readonly string[];
  readonly LeafNodeText: string;
  readonly State: string;
  /** Nanoseconds. */
  readonly RunTime: number;
  readonly Failure?: { readonly Message: string };
  readonly AdditionalFailures?: readonly { readonly Failure: { readonly Message: string } }[];
  readonly CapturedGinkgoWriterOutput?: string;
  /** Among them its steps. */
  readonly SpecEvents?: readonly { readonly Message?: string }[];
}

/** The program, and the file that describes the driver to it. */
export interface Suite {
  readonly program: string;
  readonly driverFile: string;
}

/** A test's full name. */
export function nameOf({ ContainerHierarchyTexts, LeafNodeText }: SpecReport): string {
  return [...ContainerHierarchyTexts, LeafNodeText].join(' ').replace(/\s+/g, ' ');
}

/** Names of all tests of CSI drivers, in a fixed order. */
export async function listSpecs(suite: Suite): Promise<string[]> {
  const names = (await ginkgo(suite, ['-ginkgo.dry-run', '-ginkgo.succinct'])).map(nameOf);
  return names.filter((name) => name.startsWith('External Storage ')).sort();
}

/** Runs one test, in a process of its own; `look` is given each line of its output when it comes. */
export async function runSpec(suite: Suite, name: string, look: (line: string) => void): Promise<SpecReport> {
  const pattern = name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replaceAll(' ', ' +');
  const reports = await ginkgo(suite, [`-ginkgo.focus=${pattern}$`, '-ginkgo.v'], look);
  const found = reports.find((report) => nameOf(report) === name);
  if (found === undefined) throw new Error(`there is no test named ${name}`);
  return found;
}

async function ginkgo({ program, driverFile }: Suite, args: readonly string[], look?: (line: string) => void): Promise<SpecReport[]> {
  const directory = mkdtempSync(join(tmpdir(), 'famfs-suite-'));
  try {
    const report = join(directory, 'report.json');
    const words = await output(program, [
      `--kubeconfig=${environment.kubeconfig}`, '--provider=skeleton', `--e2e-output-dir=${directory}`,
      `-storage.testdriver=${driverFile}`, '-ginkgo.no-color', `-ginkgo.json-report=${report}`, ...args,
    ], look);
    try {
      return (JSON.parse(readFileSync(report, 'utf8')) as [{ SpecReports: SpecReport[] }])[0].SpecReports;
    } catch (error) {
      throw new Error(`${program} ${args.join(' ')} left no report:\n${words}`, { cause: error });
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Runs the program, which ends with 1 when a test fails, and answers the last it said. */
async function output(program: string, args: readonly string[], look?: (line: string) => void): Promise<string> {
  // It runs kubectl by the name in PATH.
  const env = { ...process.env, PATH: `${environment.programs}:${process.env['PATH'] ?? ''}` };
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: SPEC_MS, killSignal: 'SIGKILL' });
  const last: string[] = [];
  const follow = async (stream: Readable, told?: (line: string) => void): Promise<void> => {
    for await (const line of createInterface(stream)) {
      told?.(line);
      last.push(line);
      if (last.length > LAST_LINES) last.shift();
    }
  };
  await Promise.all([once(child, 'close'), follow(child.stdout, look), follow(child.stderr)]);
  return last.join('\n');
}

/** Writes the description of the driver with the topology keys that its nodes have now. */
export function describeDriver(template: string, topologyKeys: readonly string[], file: string): void {
  const filled = readFileSync(template, 'utf8').replace(/^DriverInfo:$/m, `$&\n  TopologyKeys: ${JSON.stringify(topologyKeys)}`);
  writeFileSync(file, filled);
}
