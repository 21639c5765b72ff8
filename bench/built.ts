import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Session from '../src/famfs/fuse/session/session.ts';
import { cache, root } from '../test/harness/paths.ts';

/**
 * The library that mounts pools, in JavaScript as the image has it: the processes it starts are JavaScript
 * too. What takes TypeScript's types away takes some 20 MiB in each process, which no host has.
 */
export async function builtSession(): Promise<typeof Session> {
  const directory = join(cache, 'bench', 'dist');
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', join(root, 'tsconfig.build.json'), '--outDir', directory], { stdio: 'inherit' });
  return await import(pathToFileURL(join(directory, 'famfs/fuse/session/session.js')).href) as typeof Session;
}
