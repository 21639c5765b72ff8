/** What a machine lacks for an API server. Loads nothing else of this folder: the runner asks before any test. */
import { programDirectory } from '../cluster/programs.ts';

/** In words, or undefined where nothing is missing. */
export function apiServerMissing(): string | undefined {
  return programDirectory() === undefined ? 'not installed: go, to build etcd and kube-apiserver with' : undefined;
}
