import path from 'node:path';
import { allocate } from '../../device/libc.ts';
import { FamfsError } from '../../errors.ts';

/**
 * Gives a file of the host directory all the memory that it will ever need, keeping what it holds. Without that, the
 * first store into a part of its mapping for which there is no room would end the process by SIGBUS. Throws
 * FamfsError NO_SPACE.
 */
export function allocateHostFile(fd: number, bytes: number, file: string): void {
  const code = allocate(fd, bytes);
  if (code !== undefined) throw noSpaceFor(file, bytes, Object.assign(new Error(`${file}: allocating ${bytes} bytes failed: ${code}`), { code }));
}

/** What to throw where a file of the host directory could not be written: FamfsError NO_SPACE where there was no room for it. */
export function noSpaceFor(file: string, bytes: number, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new FamfsError('NO_SPACE', `${path.dirname(file)}: no room for the ${bytes} bytes of ${path.basename(file)} (${code}): ` +
    'make room in the host directory', { cause: error });
}
