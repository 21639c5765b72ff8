/** Hears why a command in a pod failed, where a test throws away what the command said. */
import { exec } from '../support/kubectl.ts';

/** A command that a test runs in a pod. */
export interface PodCommand {
  readonly namespace: string;
  readonly pod: string;
  readonly command: readonly string[];
}

/** Follows the output of one test. When the test fails, it repeats the last command in a pod, at once: the pod may be gone soon. */
export class Repeater {
  #last: PodCommand | undefined;
  #said: Promise<string> | undefined;

  /** One line of the test's output. */
  look(line: string): void {
    this.#last = commandIn(line) ?? this.#last;
    if (this.#last === undefined || this.#said !== undefined || !/^\s*\[FAILED\] in \[It\]/.test(line)) return;
    const { namespace, pod, command } = this.#last;
    this.#said = exec(pod, namespace, command).then(({ stdout, stderr }) => `${stdout}\n${stderr}`);
  }

  /** What the repeated command said; nothing when there was none. */
  async said(): Promise<string> {
    return await this.#said ?? '';
  }
}

/** The command that this line of a test's log says is run now. */
export function commandIn(line: string): PodCommand | undefined {
  const url = /ExecWithOptions: execute\((.+)\)$/.exec(line.trim())?.[1];
  if (url === undefined) return undefined;
  const { pathname, searchParams } = new URL(url);
  const [, namespace, pod] = /namespaces\/([^/]+)\/pods\/([^/]+)\/exec$/.exec(pathname) ?? [];
  if (namespace === undefined || pod === undefined) return undefined;
  return { namespace, pod, command: searchParams.getAll('command') };
}
