import { directoryHandle, parseVolumeId } from '../csi/volume-id.ts';
import { FamfsError } from '../famfs/errors.ts';
import type { BadRange } from '../famfs/fuse/host-state/bad-ranges.ts';
import { type SessionRecord, supervisedRecords } from '../famfs/fuse/session/session-record.ts';
import type { Notices } from '../state/interfaces.ts';
import type { Stages } from '../state/stages.ts';
import { PoolReader, type ReadPool } from './pool-reader.ts';

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
    for (const record of supervisedRecords(this.#options.hostDirectory)) {
      for (const part of record.bad) {
        const key = JSON.stringify([record.id, part]);
        if (this.#reported.has(key)) continue;
        await this.#report(record, part);
        this.#reported.add(key);
      }
    }
  }

  async #report(record: SessionRecord, { node, offset, length }: BadRange): Promise<void> {
    const { host, stages, notices } = this.#options;
    const { poolUuid } = record;
    const message = (file: string) => `${length} bytes at ${offset} of ${file} cannot be used on ${host}: reading or writing there was the end of two ` +
      'serving processes, and is answered with an input/output error; copy what can be read, and delete the volume';
    const place = await pathOf(record, node);
    for (const { volume } of await stages.ofPool(poolUuid)) {
      const { directory } = parseVolumeId(volume)!;
      if (!place?.startsWith(`${directory}/`)) continue;
      return notices.volume({ volume: directoryHandle(volume), severity: 'warning', reason: 'VolumeMemoryFailed', message: message(place.slice(directory.length + 1)) });
    }
    notices.pool({ pool: poolUuid, severity: 'warning', reason: 'PoolMemoryFailed', message: message(`node ${node}`) });
  }
}

/** The path of a node in a pool, out of its log; undefined where there is none, or the log cannot be read. */
async function pathOf(pool: ReadPool, node: number): Promise<string | undefined> {
  const reader = new PoolReader(pool);
  try {
    return (await reader.ask({ ask: 'path', node })).path;
  } catch (error) {
    if (error instanceof FamfsError) return undefined;
    throw error;
  } finally {
    reader.close();
  }
}
