/** Builds csi-sanity, the official conformance suite, from the version that go.mod and go.sum pin. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { cache } from '../harness/paths.ts';
import { findProgram } from '../harness/prerequisites.ts';

const MODULE = 'github.com/kubernetes-csi/csi-test/v5';

/** The program's path, after building it where it is not there yet. */
export function sanityProgram(): string {
  const program = join(cache, `csi-sanity-${pinnedVersion()}`);
  if (existsSync(program)) return program;
  const go = findProgram('go');
  if (go === undefined) throw new Error(`${program} is missing, and so is Go to build it with`);
  const partial = `${program}.partial`;
  const built = spawnSync(go, ['build', '-mod=readonly', '-o', partial, `${MODULE}/cmd/csi-sanity`], {
    cwd: import.meta.dirname, encoding: 'utf8', timeout: 10 * 60_000, killSignal: 'SIGKILL',
  });
  if (built.status !== 0) throw new Error(`csi-sanity could not be built:\n${built.stderr || String(built.error ?? '')}`);
  renameSync(partial, program);
  return program;
}

function pinnedVersion(): string {
  const version = new RegExp(`${MODULE} (v[\\d.]+)`).exec(readFileSync(join(import.meta.dirname, 'go.mod'), 'utf8'))?.[1];
  if (version === undefined) throw new Error(`test/sanity/go.mod pins no ${MODULE}`);
  return version;
}
