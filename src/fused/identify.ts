import { deviceOfPool, type NamedPool } from '../csi/pool-places.ts';
import { FamfsError, messageOf } from '../famfs/errors.ts';
import { decodeSuperblock, foreignFormat, Superblock, superblockProblem, superblockStruct } from '../famfs/format/superblock.ts';
import type { ServedPool } from '../famfs/fuse/session/served-pool.ts';
import { PoolIdentity } from '../famfs/index/pool-identity.ts';
import { openMemory, sourceOf } from '../famfs/pool/pool-source.ts';
import type { OpenDevices } from './open-devices.ts';

/** A pool as configured on this host. */
export type ConfiguredPool = NamedPool;

/** A configured pool, as far as its superblock tells. */
export interface IdentifiedPool extends ConfiguredPool {
  /** Where it was found, or else where it is configured. */
  readonly device: string;
  /** Empty when the superblock cannot be read, and none is configured. */
  readonly uuid: string;
  readonly size: number;
  /** Why it cannot be used, or undefined. */
  readonly problem?: string;
}

/**
 * Reads the superblocks of a host's pools: device names are hints, the UUID is the identity. Two
 * devices with one UUID are a copy and its original; nobody can tell which, so neither is used.
 */
export function identifyPools(pools: readonly ConfiguredPool[], devices: OpenDevices): IdentifiedPool[] {
  const looks = new Map(pools.map(({ device }) => [device, identify(device, devices)]));
  const found = new Map([...looks].flatMap(([device, { uuid }]) => (uuid === '' ? [] : [[device, uuid] as const])));
  const looked = pools.map((pool): IdentifiedPool => {
    const look = { name: pool.name, ...looks.get(deviceOfPool(pool, pools, found))! };
    const { device, uuid } = look;
    if (pool.uuid !== undefined && pool.uuid !== uuid) {
      return { ...look, uuid: pool.uuid, problem: look.problem ?? `no configured device holds the famfs ${pool.uuid}; ${device} holds the famfs ${uuid}` };
    }
    const twin = [...found].find(([other, theirs]) => other !== device && theirs === uuid)?.[0];
    return twin === undefined ? look : { ...look, problem: `${device} and ${twin} have the same UUID ${uuid}: one is a copy of the other` };
  });
  return looked.map((look) => {
    const same = looked.find(({ name, uuid }) => name !== look.name && uuid !== '' && uuid === look.uuid);
    return look.problem !== undefined || same === undefined ? look
      : { ...look, problem: `it has the same UUID ${look.uuid} as pool ${same.name}: give each pool a device of its own` };
  });
}

/** Whatever keeps one device from being looked at is a problem of its pool, and of no other. */
function identify(device: string, devices: OpenDevices): Omit<IdentifiedPool, 'name'> {
  const pool = { device };
  try {
    return devices.look(device, (memory) => {
      const size = memory.devices.reduce((sum, device) => sum + device.size, 0);
      const bytes = Buffer.from(memory.superblock.bytes.subarray(0, Superblock.length)); // others may write it
      const reason = superblockProblem(bytes);
      const what = foreignFormat(bytes) === undefined ? 'no famfs superblock' : 'superblock';
      if (reason !== undefined) return { ...pool, uuid: '', size, problem: `${device}: ${what}: ${reason}` };
      return { ...pool, uuid: decodeSuperblock(bytes).uuid, size };
    });
  } catch (error) {
    return { ...pool, uuid: '', size: 0, problem: messageOf(error) };
  }
}

/** Which file system stands on a device now, sound or not, and which life of its log; undefined where it cannot be read. */
export function identityOn(device: string): ServedPool | undefined {
  try {
    const memory = openMemory(sourceOf(device), { writable: false });
    try {
      const { uuid } = superblockStruct.fields;
      return { poolUuid: uuid.read(memory.superblock.bytes, uuid.offset), logLife: new PoolIdentity(memory.superblock).logLife };
    } finally {
      memory.close();
    }
  } catch (error) {
    if (error instanceof FamfsError) return undefined;
    throw error;
  }
}
