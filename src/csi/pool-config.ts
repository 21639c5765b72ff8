import fs from 'node:fs';
import { messageOf } from '../famfs/errors.ts';
import { parseBytes } from './bytes.ts';

/** When the controller may format a pool: never, or when superblock region and log are all zero. */
export const FORMATS = ['never', 'ifEmpty'] as const;

/** A pool as configured for a driver. */
export interface PoolConfig {
  readonly name: string;
  /** A dax device, or a file that simulates one. */
  readonly device: string;
  /** The file system that it is, wherever that is found among the configured devices. Without it, the cluster remembers. */
  readonly uuid?: string;
  readonly format: (typeof FORMATS)[number];
  /** Bytes of the log that a formatting makes. */
  readonly logSize?: number;
  /**
   * Hosts mount this pool with the reference tools, which acknowledge nothing: memory of deleted
   * volumes stays in quarantine.
   */
  readonly referenceClients?: boolean;
}

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const KEYS = ['name', 'device', 'uuid', 'format', 'logSize', 'referenceClients'];

/** Whether a pool may be called that. */
export function isPoolName(name: string): boolean {
  return NAME.test(name);
}

/** Reads a pools file. Throws an Error that names the file and what is wrong in it. */
export function readPoolsFile(file: string): PoolConfig[] {
  try {
    return parsePools(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`pools file ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** Reads the text of a pools file: `{"pools": [{"name", "device", "uuid", "format", "logSize", "referenceClients"}]}`. */
export function parsePools(text: string): PoolConfig[] {
  const { pools } = JSON.parse(text) as { pools?: unknown };
  if (!Array.isArray(pools)) throw new Error('"pools" is no list');
  const parsed = pools.map(parsePool);
  for (const [k, pool] of parsed.entries()) {
    const twin = parsed.slice(0, k).find(({ name, device, uuid }) =>
      name === pool.name || device === pool.device || (uuid !== undefined && uuid === pool.uuid));
    if (twin !== undefined) throw new Error(`pools[${k}] has the name, the device or the UUID of pool ${twin.name}`);
  }
  return parsed;
}

function parsePool(value: unknown, index: number): PoolConfig {
  const where = `pools[${index}]`;
  if (typeof value !== 'object' || value === null) throw new Error(`${where} is no object`);
  const unknown = Object.keys(value).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw new Error(`${where} has an unknown key ${JSON.stringify(unknown)}; known are ${KEYS.join(', ')}`);
  const { name, device, uuid, format = 'never', logSize, referenceClients = false } = value as Record<string, unknown>;
  if (typeof name !== 'string' || !isPoolName(name)) throw new Error(`${where}.name ${JSON.stringify(name)} is no name of a-z, 0-9 and "-"`);
  if (typeof device !== 'string' || !device.startsWith('/')) throw new Error(`${where}.device ${JSON.stringify(device)} is no absolute path`);
  const known = FORMATS.find((one) => one === format);
  if (known === undefined) throw new Error(`${where}.format ${JSON.stringify(format)} is neither "never" nor "ifEmpty"`);
  if (uuid !== undefined && (typeof uuid !== 'string' || !UUID.test(uuid))) {
    throw new Error(`${where}.uuid ${JSON.stringify(uuid)} is no UUID in lower case: "famfs-csi df" tells that of a pool`);
  }
  if (uuid !== undefined && known !== 'never') throw new Error(`${where} has a uuid, so it is formatted already: leave format "${known}" out`);
  if (typeof referenceClients !== 'boolean') throw new Error(`${where}.referenceClients ${JSON.stringify(referenceClients)} is neither true nor false`);
  const config = { name, device, ...(uuid === undefined ? {} : { uuid }), format: known, ...(referenceClients ? { referenceClients } : {}) };
  if (logSize === undefined || logSize === '') return config;
  const bytes = parseBytes(String(logSize));
  if (bytes === undefined) throw new Error(`${where}.logSize ${JSON.stringify(logSize)} is no size: write 64MiB or 1Gi`);
  return { ...config, logSize: bytes };
}
