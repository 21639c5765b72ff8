import fs from 'node:fs/promises';
import path from 'node:path';
import { parseVolumeId } from '../csi/volume-id.ts';
import type { BadRange } from '../famfs/fuse/host-state/bad-ranges.ts';
import { supervisedRecords } from '../famfs/fuse/session/session-record.ts';
import type { Notices } from '../state/interfaces.ts';
import type { Stages } from '../state/stages.ts';

export interface BadRangeReporterOptions {
  readonly hostDirectory: string;
  readonly host: string;
  readonly stages: Pick<Stages, 'ofPool'>;
  readonly notices: Notices;
}

/** Reports each part of a file that this host's sessions have given up once, as a notice about the volume it belongs to. */
export class BadRangeReporter {
  readonly #options: BadRangeReporterOptions;
  readonly #reported = new Set<string>();

  constructor(options: BadRangeReporterOptions) {
    this.#options = options;
  }

  /** Looks for new ones. To be called again and again. */
  async reportNew(): Promise<void> {
    for (const { id, poolUuid, directory, bad } of supervisedRecords(this.#options.hostDirectory)) {
      for (const part of bad) {
        const key = JSON.stringify([id, part]);
        if (this.#reported.has(key)) continue;
        this.#reported.add(key);
        await this.#report(poolUuid, directory, part);
      }
    }
  }

  async #report(poolUuid: string, directory: string, { node, offset, length }: BadRange): Promise<void> {
    const { host, stages, notices } = this.#options;
    const message = (file: string) => `${length} bytes at ${offset} of ${file} cannot be used on ${host}: reading or writing there was the end of two ` +
      'serving processes, and is answered with an input/output error; copy what can be read, and delete the volume';
    for (const { volume } of await stages.ofPool(poolUuid)) {
      const below = path.join(directory, parseVolumeId(volume)!.directory);
      const file = await fileOf(below, node);
      if (file !== undefined) return notices.volume({ volume, severity: 'warning', reason: 'VolumeMemoryFailed', message: message(file) });
    }
    notices.pool({ pool: poolUuid, severity: 'warning', reason: 'PoolMemoryFailed', message: message(`node ${node}`) });
  }
}

/** The path below a volume's directory of the file with this node id, which is its inode number; undefined where there is none. */
async function fileOf(directory: string, node: number): Promise<string | undefined> {
  const entries = await fs.readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const file = path.join(entry.parentPath, entry.name);
    const stat = await fs.stat(file).catch(() => undefined); // it may go meanwhile
    if (stat?.ino === node) return path.relative(directory, file);
  }
  return undefined;
}
