/** Places in the checkout. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's top directory, without a slash at the end. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** What the tests download or build once: ignored by git, safe to delete. */
export const cache = join(root, '.cache');

/** Where Node.js keeps what it has compiled: half of a process's start. */
export const compiled = join(cache, 'compiled');

/** The command-line program as users run it. */
export const program = join(root, 'bin/famfs-csi');
