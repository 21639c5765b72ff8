import path from 'node:path';
import type { Access } from '../csi/capabilities.ts';
import { parseVolumeId } from '../csi/volume-id.ts';
import { RecordFolder } from './records.ts';

/** A volume that is staged on this host, and how. */
export interface Stage {
  readonly volume: string;
  readonly path: string;
  readonly access: Access;
  /** Where it is published. */
  readonly targets: readonly string[];
}

/**
 * What this host has staged and published. Written before a mount is made and removed after it is
 * gone, so that no crash leaves a mount that nobody knows of. It lives on the host's tmpfs, since
 * neither it nor a mount outlives the host's run. The node plugin writes it; the data plane reads
 * there which pools are needed, since it cannot see the mounts.
 */
export class Stages {
  readonly #records: RecordFolder<Stage>;

  constructor(hostDirectory: string) {
    this.#records = new RecordFolder(path.join(hostDirectory, 'stages'));
  }

  get(volume: string): Promise<Stage | undefined> {
    return this.#records.get(volume);
  }

  put(stage: Stage): Promise<void> {
    return this.#records.put(stage.volume, stage);
  }

  delete(volume: string): Promise<void> {
    return this.#records.delete(volume);
  }

  list(): Promise<Stage[]> {
    return this.#records.list();
  }

  /** The staged volumes of one pool. */
  async ofPool(poolUuid: string): Promise<Stage[]> {
    return (await this.list()).filter(({ volume }) => parseVolumeId(volume)?.pool === poolUuid);
  }
}
