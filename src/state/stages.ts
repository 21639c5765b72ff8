import path from 'node:path';
import type { Access, AccessMode } from '../csi/capabilities.ts';
import { directoryHandle, parseVolumeId } from '../csi/volume-id.ts';
import { RecordFolder } from './records.ts';

/** A volume that is staged on this host, and how. */
export interface Stage {
  /** The whole handle. */
  readonly volume: string;
  readonly path: string;
  /** Its group is the one that is in force by this stage. */
  readonly access: Access;
  /** Where it is published. */
  readonly targets: readonly string[];
  /** The mode of each target; one that is not named here has the stage's, as a version before knows no other. */
  readonly modes?: Readonly<Record<string, AccessMode>>;
}

/**
 * A stage as it is kept. Its `volume` has no suffix: a data plane of a version that knows no suffixes reads there
 * which pools are needed. The names of the fields stay: several versions read them.
 */
interface StoredStage extends Stage {
  /** The whole handle, where it has a suffix. */
  readonly handle?: string;
}

/**
 * What this host has staged and published. Written before a mount is made and removed after it is
 * gone, so that no crash leaves a mount that nobody knows of. It lives on the host's tmpfs, since
 * neither it nor a mount outlives the host's run. The node plugin writes it; the data plane reads
 * there which pools are needed, since it cannot see the mounts.
 */
export class Stages {
  readonly #records: RecordFolder<StoredStage>;

  constructor(hostDirectory: string) {
    this.#records = new RecordFolder(path.join(hostDirectory, 'stages'));
  }

  async get(volume: string): Promise<Stage | undefined> {
    const found = await this.#records.get(volume);
    return found && read(found);
  }

  put(stage: Stage): Promise<void> {
    const { volume } = stage;
    const directory = directoryHandle(volume);
    return this.#records.put(volume, { ...stage, volume: directory, ...(directory === volume ? {} : { handle: volume }) });
  }

  delete(volume: string): Promise<void> {
    return this.#records.delete(volume);
  }

  async list(): Promise<Stage[]> {
    return (await this.#records.list()).map(read);
  }

  /** The staged volumes of one pool. */
  async ofPool(poolUuid: string): Promise<Stage[]> {
    return (await this.list()).filter(({ volume }) => parseVolumeId(volume)?.pool === poolUuid);
  }

  /** The stages of a handle's directory, by whatever handles. */
  async ofDirectory(handle: string): Promise<Stage[]> {
    const directory = directoryHandle(handle);
    return (await this.list()).filter(({ volume }) => directoryHandle(volume) === directory);
  }
}

function read({ handle, ...stage }: StoredStage): Stage {
  return handle === undefined ? stage : { ...stage, volume: handle };
}
