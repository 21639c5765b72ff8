import { openDevice, type OpenOptions } from '../device/open.ts';
import { MappedMemory } from '../device/pool-memory.ts';
import { FamfsError } from '../errors.ts';
import { decodeSuperblock, Superblock, superblockProblem } from '../format/superblock.ts';

/** Where the memory of a pool is to be found on this host. */
export interface PoolSource {
  /** Paths of its devices, the first one with superblock and log. Names are hints: what is there, its superblock tells. */
  readonly devices: readonly string[];
  /** UUID of the file system that is meant, where it is known: another one is refused. */
  readonly uuid?: string;
}

/** A pool on one device. */
export function sourceOf(device: string): PoolSource {
  return { devices: [device] };
}

/**
 * Opens the memory of a pool: the one way to it for controller, data plane, figures and command line.
 * Throws FamfsError as openDevice does, UNSUPPORTED for several devices, and REPLACED where another
 * file system than the one that is meant is there.
 */
export function openMemory({ devices, uuid }: PoolSource, options: OpenOptions = {}): MappedMemory {
  if (devices.length !== 1) throw new FamfsError('UNSUPPORTED', `a pool of ${devices.length} devices is not supported: ${devices.join(', ')}`);
  const memory = new MappedMemory([openDevice(devices[0], options)]);
  try {
    if (uuid !== undefined) mustHold(memory, uuid);
    return memory;
  } catch (error) {
    memory.close();
    throw error;
  }
}

/** The UUID of the file system on a device, for who only looks; undefined where there is none. Throws as openMemory does. */
export function uuidOn(device: string): string | undefined {
  const memory = openMemory(sourceOf(device), { writable: false, lock: 'none' });
  try {
    return uuidIn(memory);
  } finally {
    memory.close();
  }
}

/** A superblock that cannot be read is for the reader of the pool to judge. */
function mustHold(memory: MappedMemory, uuid: string): void {
  const found = uuidIn(memory);
  if (found === undefined || found === uuid) return;
  throw new FamfsError('REPLACED', `${memory.path} holds the famfs ${found}, not ${uuid}: name the device of that one`);
}

function uuidIn({ superblock }: MappedMemory): string | undefined {
  const bytes = Buffer.from(superblock.bytes.subarray(0, Superblock.length)); // others may write it
  return superblockProblem(bytes) === undefined ? decodeSuperblock(bytes).uuid : undefined;
}
