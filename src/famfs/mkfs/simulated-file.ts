import fs from 'node:fs';
import { FamfsError, messageOf } from '../errors.ts';

/** Who may write besides the owner: group and others. */
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Makes a sparse file of `size` bytes for our user alone, unless there is something under that name. Answers a
 * judge of the file that is opened under it later, who throws unless that is the one made here, or one of the
 * same size that is ours alone: a name can be given to something else at any time.
 */
export function makeSparse(file: string, size: number): { readonly isNew: boolean; readonly judge: (stat: fs.Stats) => void } {
  const fd = create(file);
  if (fd === undefined) return { isNew: false, judge: (stat) => mustBeOurs(file, size, stat) };
  try {
    fs.ftruncateSync(fd, size);
    const { dev, ino } = fs.fstatSync(fd);
    return {
      isNew: true,
      judge: (stat) => {
        if (stat.dev !== dev || stat.ino !== ino) throw new FamfsError('EXISTS', `${file} has been replaced meanwhile: nothing was done to it`);
      },
    };
  } catch (error) {
    fs.rmSync(file, { force: true });
    throw new FamfsError('DEVICE', `${file}: ${size} bytes are more than its file system allows`, { cause: error });
  } finally {
    fs.closeSync(fd);
  }
}

function create(file: string): number | undefined {
  try {
    return fs.openSync(file, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw new FamfsError('DEVICE', `${file} cannot be made: ${messageOf(error)}`, { cause: error });
  }
}

/** Throws FamfsError INVALID or EXISTS for a file that is somebody else's, or has another size. */
function mustBeOurs(file: string, size: number, stat: fs.Stats): void {
  if (!stat.isFile()) throw new FamfsError('INVALID', `${file} is not a regular file: leave --simulate out for a real device`);
  const foreign = whyForeign(stat);
  if (foreign !== undefined) {
    throw new FamfsError('EXISTS', `${file} exists and ${foreign}: --simulate formats files of your own alone, with --force, too; ` +
      'choose another name, or leave --simulate out to format that file all the same');
  }
  if (stat.size !== size) throw new FamfsError('EXISTS', `${file} exists with ${stat.size} bytes, not ${size}: remove it or name its size`);
}

/** What says that a file is not ours alone, or undefined. */
function whyForeign({ uid, mode, nlink }: fs.Stats): string | undefined {
  const own = process.geteuid!();
  if (uid !== own) return `belongs to user ${uid}, not to user ${own} who runs this`;
  if (nlink > 1) return `has ${nlink} names (hard links)`;
  if ((mode & WRITABLE_BY_OTHERS) !== 0) return `can be written by others than its owner (mode ${(mode & 0o7777).toString(8).padStart(4, '0')})`;
  return undefined;
}
