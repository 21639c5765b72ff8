/**
 * Folders that nobody but their owner may enter: what is kept on a host for a pool leads to its files, to
 * its control sockets, and to lock files, which whoever may read them may also hold. Earlier versions made
 * some of them for everybody to read.
 */
import fs from 'node:fs';
import path from 'node:path';
import { FamfsError, messageOf } from './errors.ts';

const PRIVATE = 0o700;
const PRIVATE_FILE = 0o600;
const OTHERS = 0o077;
const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = fs.constants;

/** What a host directory holds. `mounts` has one mount for each pool; the other folders have files. */
const HOST_DIRECTORY = { folders: ['mounts', 'sessions', 'writers', 'stages', 'overrides'], files: ['mount.log'] } as const;
/** What a state directory holds. */
const STATE_DIRECTORY = { folders: ['attachments', 'members', 'nodes'], files: ['cluster-uuid', 'controller.lock', 'epochs.json'] } as const;

interface Contents {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

/**
 * Makes a folder of our own, and those above it that are missing, for our user alone; narrows one that is
 * there. Throws FamfsError DEVICE where it cannot be made, is another user's, or is a link.
 */
export function makePrivateFolder(folder: string): void {
  attempt(folder, () => {
    fs.mkdirSync(folder, { recursive: true, mode: PRIVATE });
    if (narrow(folder)) return;
    throw new Error(`it belongs to user ${fs.lstatSync(folder).uid}, not to user ${process.geteuid!()} who runs this: ` +
      'remove it, or name another directory');
  });
}

/** Makes a host directory, or narrows what earlier versions have made in it: see `openDirectory`. */
export function openHostDirectory(directory: string): void {
  openDirectory(directory, HOST_DIRECTORY);
}

/** Makes a state directory, or narrows what earlier versions have made in it: see `openDirectory`. */
export function openStateDirectory(directory: string): void {
  openDirectory(directory, STATE_DIRECTORY);
}

/**
 * The directory itself was named by an operator, and may be `/run`: it is narrowed only where all that it
 * holds is ours. What is another user's is left alone here; who needs it is refused by `makePrivateFolder`.
 */
function openDirectory(directory: string, { folders, files }: Contents): void {
  attempt(directory, () => {
    fs.mkdirSync(directory, { recursive: true, mode: PRIVATE });
    const entries = fs.readdirSync(directory, { withFileTypes: true });
    const isOurs = (entry: fs.Dirent) => entry.isSocket() || folders.includes(entry.name) || files.includes(entry.name);
    if (entries.every(isOurs)) narrow(fs.realpathSync(directory));
    for (const entry of entries) {
      if (entry.isDirectory() && folders.includes(entry.name)) narrow(path.join(directory, entry.name));
    }
  });
}

function attempt(folder: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new FamfsError('DEVICE', `${folder} cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

/** Takes a folder, and the files in it, from everybody but us. Answers whether it is ours. Looks at nothing that is mounted in it. */
function narrow(folder: string): boolean {
  const fd = fs.openSync(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    const { mode, uid } = fs.fstatSync(fd);
    if (uid !== process.geteuid!()) return false;
    if ((mode & OTHERS) === 0) return true;
    fs.fchmodSync(fd, PRIVATE);
  } finally {
    fs.closeSync(fd);
  }
  // From here on nobody else can put anything there; a file of several names may be somebody else's.
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    if (entry.isFile()) narrowFile(path.join(folder, entry.name));
  }
  return true;
}

function narrowFile(file: string): void {
  try {
    const { mode, uid, nlink } = fs.lstatSync(file);
    if (uid === process.geteuid!() && nlink === 1 && (mode & OTHERS) !== 0) fs.chmodSync(file, PRIVATE_FILE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error; // a process of ours has just removed it
  }
}
