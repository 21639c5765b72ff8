/** kubectl and helm, as an operator runs them, against the cluster of the tests. */
import { execFile } from 'node:child_process';
import { findProgram } from '../../harness/prerequisites.ts';

/** A Kubernetes object, as far as tests look into it. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    deletionTimestamp?: string;
  };
  // The shape of everything else belongs to the kind.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  [field: string]: any;
}

/** What a program printed, and how it ended. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Where the tests' programs and cluster are; set once, before the first test. */
export const environment = { kubeconfig: '', programs: '' };

/** Runs a program to its end and answers whatever came of it. */
export function run(program: string, args: readonly string[], input?: string, limitMs = 180_000): Promise<Outcome> {
  return new Promise((resolve) => {
    const env = {
      ...process.env,
      KUBECONFIG: environment.kubeconfig,
      PATH: `${environment.programs}:${process.env['PATH'] ?? ''}`,
    };
    const found = findProgram(program) ?? program;
    const options = { env, timeout: limitMs, killSignal: 'SIGKILL', maxBuffer: 64 << 20 } as const;
    const child = execFile(found, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stdout, stderr: stderr || (error?.message ?? '') });
    });
    child.stdin!.on('error', () => {}); // it ended without reading: its exit code tells
    child.stdin!.end(input);
  });
}

/** Runs kubectl; throws with what it said when it fails. */
export async function kubectl(args: readonly string[], input?: string): Promise<string> {
  return succeeded('kubectl', args, await run('kubectl', args, input));
}

/** Runs helm; throws with what it said when it fails. */
export async function helm(args: readonly string[]): Promise<string> {
  return succeeded('helm', args, await run('helm', args, undefined, 300_000));
}

/** Creates or changes objects. */
export async function apply(...objects: readonly KubeObject[]): Promise<void> {
  await kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
}

/** Applies a manifest file of the repository in the namespace, as a user would. */
export async function applyFile(file: string, namespace: string): Promise<void> {
  await kubectl(['apply', '-n', namespace, '-f', file]);
}

/** One object, or undefined where there is none. */
export async function find(kind: string, name: string, namespace?: string): Promise<KubeObject | undefined> {
  const text = await kubectl(['get', kind, name, ...inNamespace(namespace), '-o', 'json', '--ignore-not-found']);
  return text.trim() === '' ? undefined : (JSON.parse(text) as KubeObject);
}

/** One object that has to be there. */
export async function get(kind: string, name: string, namespace?: string): Promise<KubeObject> {
  const found = await find(kind, name, namespace);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

/** All objects of a kind, in one namespace or everywhere. */
export async function list(kind: string, namespace?: string, ...more: readonly string[]): Promise<KubeObject[]> {
  const where = namespace === undefined ? ['--all-namespaces'] : ['-n', namespace];
  const text = await kubectl(['get', kind, ...where, '-o', 'json', ...more]);
  return (JSON.parse(text) as { items: KubeObject[] }).items;
}

/** Runs a command in a pod, which may fail. */
export function exec(pod: string, namespace: string, command: readonly string[]): Promise<Outcome> {
  return run('kubectl', ['exec', pod, '-n', namespace, '--', ...command]);
}

function inNamespace(namespace: string | undefined): string[] {
  return namespace === undefined ? [] : ['-n', namespace];
}

function succeeded(program: string, args: readonly string[], { code, stdout, stderr }: Outcome): string {
  if (code === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')}: ${(stderr || stdout).trim()}`);
}
