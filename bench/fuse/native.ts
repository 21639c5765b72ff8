/** fuse-native, npm's binding of libfuse 2: in the cache, and no part of the project. */
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { cache } from '../../test/harness/paths.ts';

export const NATIVE_VERSION = '2.2.6';

const directory = join(cache, 'bench', `fuse-native-${NATIVE_VERSION}`);
/** What the server imports. */
export const nativeModule = join(directory, 'node_modules/fuse-native');
/** Where the library lies that its binding is linked to. */
export const nativeLibraries = join(nativeModule, 'prebuilds/linux-x64');

const library = join(nativeLibraries, 'libfuse.so.2');

export function nativeIsThere(): boolean {
  return existsSync(library);
}

/** Installs it without its script: the binary is in the package, under another name than its binding asks for. */
export function installNative(): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', `fuse-native@${NATIVE_VERSION}`];
  if (spawnSync('npm', args, { cwd: directory, stdio: 'inherit' }).status !== 0) throw new Error('npm cannot install fuse-native');
  if (!nativeIsThere()) symlinkSync('libfuse.so', library);
}
