import { randomUUID } from 'node:crypto';
import { type FormatOptions, mkfs } from '../../src/famfs/mkfs/mkfs.ts';
import { sourceOf } from '../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../src/famfs/pool/pool.ts';
import { MIB } from '../../src/famfs/units.ts';
import { type AcquireOptions, PoolWriter, type WriterIdentity } from '../../src/famfs/writer/writer.ts';
import { shmFile, tempDir } from '../harness/temp.ts';

export const AU = 2 * MIB;
/** Superblock and the smallest log. */
export const METADATA = 10 * MIB;
export const CLUSTER = '6b1f3c52-0d43-4c0e-9d6f-2f1f6a1c7f00';

/** A freshly formatted simulated pool with `units` allocation units for files. */
export async function newPool(units = 16, options: Partial<FormatOptions> = {}): Promise<string> {
  const file = shmFile('pool');
  await mkfs(file, { clusterUuid: CLUSTER, simulate: METADATA + units * AU, ...options });
  return file;
}

/** A host of its own: another id, and other lock files. */
export function newHost(clusterUuid = CLUSTER): WriterIdentity {
  return { clusterUuid, hostId: `host-${randomUUID().slice(0, 8)}`, hostDirectory: tempDir('host') };
}

export interface OpenWriter {
  readonly pool: Pool;
  readonly writer: PoolWriter;
  /** A clean stop. */
  stop(): void;
}

export async function openWriter(file: string, identity = newHost(), options: Partial<AcquireOptions> = {}): Promise<OpenWriter> {
  const pool = Pool.open(sourceOf(file));
  try {
    const writer = await PoolWriter.acquire(pool, { identity, ...options });
    return {
      pool,
      writer,
      stop: () => {
        writer.close();
        pool.close();
      },
    };
  } catch (error) {
    pool.close();
    throw error;
  }
}

export const file = (path: string, size = AU) => ({ kind: 'file', path, size, mode: 0o644, uid: 0, gid: 0 }) as const;
export const directory = (path: string) => ({ kind: 'directory', path, mode: 0o755, uid: 0, gid: 0 }) as const;
