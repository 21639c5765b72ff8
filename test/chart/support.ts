/** helm, as an operator runs it, on the chart of the working tree. */
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { loadAllYaml } from '@kubernetes/client-node';
import { ensurePrograms, findClusterProgram } from '../cluster/programs.ts';
import { root } from '../harness/paths.ts';
import { findProgram } from '../harness/prerequisites.ts';

if (typeof before === 'function') {
  before('build helm', async function () {
    this.timeout(20 * 60_000);
    if (helmProgram() === undefined) await ensurePrograms(['helm']);
  });
}

/** An object of a rendered chart, or of an example: whatever its kind has. */
export interface Manifest {
  kind: string;
  apiVersion: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  // Each kind has its own fields, and a test names those it is about.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  [field: string]: any;
}

/** Values for one rendering: files of examples/values, and keys of values.yaml with what they become. */
export interface Wish {
  readonly files?: readonly string[];
  readonly values?: Readonly<Record<string, unknown>>;
  readonly namespace?: string;
  /** Kinds that the API server is taken to have besides those that Helm knows of, as `group/version/Kind`. */
  readonly apis?: readonly string[];
}

export const chart = join(root, 'deploy/helm/famfs-csi');
export const exampleValues = readdirSync(join(root, 'examples/values')).sort();
export const examples = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.yaml')).sort();

/** helm of this machine, or the one that is built for the cluster. */
function helmProgram(): string | undefined {
  return findProgram('helm') ?? findClusterProgram('helm');
}

/** How a program ended, and all that it printed. */
export interface Ending {
  readonly code: number | null;
  readonly output: string;
}

/** Runs helm to its end. */
export function helm(args: readonly string[]): Ending {
  const { status, stdout, stderr, error } = spawnSync(helmProgram()!, args, { encoding: 'utf8', maxBuffer: 16 * 2 ** 20 });
  if (error) throw error;
  return { code: status, output: `${stdout}${stderr}` };
}

/** Starts helm, for as long as somebody else has to do something meanwhile. */
export function startHelm(args: readonly string[]): Promise<Ending> {
  return new Promise((resolve, reject) => {
    execFile(helmProgram()!, args, { encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else resolve({ code: error === null ? 0 : Number(error.code), output: `${stdout}${stderr}` });
    });
  });
}

/** helm's arguments for these values. */
export function valueArguments({ files = [], values = {} }: Wish): string[] {
  return [
    ...files.flatMap((name) => ['--values', join(root, 'examples/values', name)]),
    ...Object.entries(values).flatMap(([key, value]) => ['--set-json', `${key}=${JSON.stringify(value)}`]),
  ];
}

/** What helm makes of the chart, or says against the values. */
export function template(wish: Wish = {}): Ending {
  const { namespace = 'famfs-system', apis = [] } = wish;
  const known = apis.flatMap((api) => ['--api-versions', api]);
  return helm(['template', 'famfs', chart, '--namespace', namespace, '--kube-version', '1.36.3', ...known, ...valueArguments(wish)]);
}

/** The chart's objects, hooks included. */
export function render(wish: Wish = {}): Manifest[] {
  const { code, output } = template(wish);
  if (code !== 0) throw new Error(output);
  return parse(output);
}

/** The objects of YAML text. */
export function parse(text: string): Manifest[] {
  const objects = loadAllYaml(text) as (Manifest | undefined)[];
  // Plain objects, to be compared with what tests write down, instead of the client's classes.
  return (JSON.parse(JSON.stringify(objects.filter((object) => object?.kind !== undefined))) as Manifest[]);
}

/** The one object of this kind whose name ends so. */
export function find(objects: readonly Manifest[], kind: string, ending = ''): Manifest {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name.endsWith(ending));
  if (found.length !== 1) throw new Error(`${found.length} objects of kind ${kind} end with ${JSON.stringify(ending)}`);
  return found[0];
}

/** The pod template of an object that makes pods. */
export function podOf(object: Manifest): Manifest {
  return object.spec.template;
}

/** A container of a pod template. */
export function containerOf(object: Manifest, name: string): Manifest {
  const found = podOf(object).spec.containers.find((container: { name: string }) => container.name === name);
  if (found === undefined) throw new Error(`${object.kind} ${object.metadata.name} has no container ${name}`);
  return found;
}

/** What a role may do: `apiGroup/resource verb` for each. */
export function rights(role: Manifest): string[] {
  const rules = role.rules as { apiGroups: string[]; resources: string[]; verbs: string[] }[];
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${group}/${resource} ${verb}`))));
}

/** A text file of the checkout. */
export function text(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}
