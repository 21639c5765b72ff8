import path from 'node:path';
import type { Access } from '../csi/capabilities.ts';
import { RecordFolder } from '../state/records.ts';

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
 * neither it nor a mount outlives the host's run.
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
}

/** Whether two requests stage a volume in the same way; its group is another matter. */
export function sameStaging(a: Access, b: Access): boolean {
  return a.mode === b.mode && [...a.mountFlags].sort().join() === [...b.mountFlags].sort().join();
}
