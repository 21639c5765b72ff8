import type { Logger } from 'winston';
import type { PoolConfig } from '../../csi/pool-config.ts';
import { deviceOfPool, type NamedPool, ownerOf } from '../../csi/pool-places.ts';
import { messageOf } from '../../famfs/errors.ts';
import { uuidOn } from '../../famfs/pool/pool-source.ts';
import type { Pool } from '../../famfs/pool/pool.ts';
import type { PoolNames } from '../../state/interfaces.ts';

/** Where a pool of the configuration is. */
export interface PoolPlace {
  readonly device: string;
  /** The file system that has to be there, where it was found there. */
  readonly uuid?: string;
  /** Why the file system that the pool is cannot be used, where it was found nowhere: in words. */
  readonly missing?: string;
}

/**
 * Finds the pools of a configuration by their UUIDs: the one that is configured, or the one that the name had last. Under
 * a name that had a pool nothing is ever formatted, and no other pool that was used before takes its place, unless somebody
 * says so: the device may be another one, and the pool on a device that is away.
 */
export class PoolFinder {
  readonly #specs: readonly PoolConfig[];
  readonly #names: PoolNames;
  readonly #log: Logger;
  #reading: Promise<Map<string, string>> | undefined;
  /** By name, the UUID that it had last. */
  #known: ReadonlyMap<string, string> = new Map();

  constructor(specs: readonly PoolConfig[], names: PoolNames, log: Logger) {
    this.#specs = specs;
    this.#names = names;
    this.#log = log;
  }

  /** Looks for a pool. Throws what the state of the cluster throws; devices that cannot be looked at are no failure. */
  async find({ name }: PoolConfig): Promise<PoolPlace> {
    this.#known = await this.#read();
    const looks = this.#specs.map(({ device }) => ({ device, ...lookAt(device) }));
    const found = new Map(looks.flatMap(({ device, uuid }) => (uuid === undefined ? [] : [[device, uuid] as const])));
    const pools = this.#pools();
    const pool = pools.find((one) => one.name === name)!;
    const device = deviceOfPool(pool, pools, found);
    if (pool.uuid === undefined) return { device };
    if (found.get(device) === pool.uuid) return { device, uuid: pool.uuid };
    const places = looks.map(({ device: at, uuid, problem }) => (uuid === undefined ? problem : `${at} holds the famfs ${uuid}`)).join('; ');
    return {
      device, missing: `it is the famfs ${pool.uuid}, which is on none of the configured devices (${places}). Nothing is formatted under the ` +
        `name of a pool: bring its device back; or, if what it held is lost, format ${device} by hand ("famfs-csi mkfs")`,
    };
  }

  /** Why what was opened is not this pool, or undefined. */
  objection({ name, uuid: configured }: PoolConfig, pool: Pool): string | undefined {
    const { uuid, memory: { path } } = pool;
    const pools = this.#pools();
    const owner = ownerOf(uuid, pools);
    if (owner !== undefined) return owner.name === name ? undefined : `${path} holds the famfs ${uuid}, which is pool ${owner.name}`;
    const known = pools.find((one) => one.name === name)?.uuid;
    if (known === undefined || (configured === undefined && isUnused(pool))) return undefined;
    return `it is the famfs ${known}, which is on none of the configured devices; ${path} holds the famfs ${uuid}. ` +
      `If that is to be pool ${name} from now on, say so: "uuid" of the pool in the configuration`;
  }

  /** From now on the name is this file system. */
  async remember({ name }: PoolConfig, uuid: string): Promise<void> {
    const known = await this.#read();
    const before = known.get(name);
    if (before === uuid) return;
    await this.#names.put({ name, uuid });
    known.set(name, uuid);
    if (before !== undefined) this.#log.warn('a pool is another file system from now on', { pool: name, uuid, before });
  }

  /** With what is known of each. A UUID that is configured for one name is not that of another any more. */
  #pools(): NamedPool[] {
    const configured = new Set(this.#specs.map(({ uuid }) => uuid));
    return this.#specs.map(({ name, device, uuid: own }) => {
      const known = this.#known.get(name);
      const uuid = own ?? (configured.has(known) ? undefined : known);
      return { name, device, ...(uuid === undefined ? {} : { uuid }) };
    });
  }

  /** What the cluster remembers; read once. Names that are configured no longer are forgotten. */
  #read(): Promise<Map<string, string>> {
    const reading = this.#reading ??= this.#readNames();
    reading.catch(() => {
      if (this.#reading === reading) this.#reading = undefined; // again, then
    });
    return reading;
  }

  async #readNames(): Promise<Map<string, string>> {
    const records = await this.#names.list();
    const isConfigured = (name: string) => this.#specs.some((spec) => spec.name === name);
    for (const { name } of records) if (!isConfigured(name)) await this.#names.forget(name);
    return new Map(records.filter(({ name }) => isConfigured(name)).map(({ name, uuid }) => [name, uuid]));
  }
}

function lookAt(device: string): { readonly uuid?: string; readonly problem: string } {
  try {
    const uuid = uuidOn(device);
    return { ...(uuid === undefined ? {} : { uuid }), problem: `${device} holds no famfs that can be read` };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

/** Whether a pool was formatted, and nothing was done with it since. */
function isUnused({ view, replayer }: Pool): boolean {
  return view.usage().slotsUsed === 0 && replayer.ring.records().length === 0;
}
