import { join } from 'node:path';
import { FdStore } from '../../src/famfs/fuse/session/fd-store.ts';
import { remove, tempDir } from '../harness/temp.ts';
import { Plane } from './plane.ts';
import type { PoolFixture } from './pool-fixture.ts';

/** A host whose data plane serves a pool, and whose sessions are held, as by its node plugin. */
export class HeldHost {
  readonly hostDirectory: string;
  readonly directory: string;
  readonly #plane: Plane;
  readonly #fdStore: FdStore;

  private constructor(hostDirectory: string, directory: string, plane: Plane, fdStore: FdStore) {
    this.hostDirectory = hostDirectory;
    this.directory = directory;
    this.#plane = plane;
    this.#fdStore = fdStore;
  }

  static async mount(pool: PoolFixture): Promise<HeldHost> {
    const hostDirectory = tempDir('held');
    const fdStore = new FdStore({ hostDirectory, onEvent: () => undefined });
    const plane = await Plane.start(hostDirectory, [{ name: 'fast', device: pool.path }]);
    return new HeldHost(hostDirectory, await plane.ensure(pool.uuid), plane, fdStore);
  }

  /** A path on the mount. */
  path(name: string): string {
    return join(this.directory, name);
  }

  async end(): Promise<void> {
    await this.#plane.stop();
    this.#fdStore.close();
    remove(this.hostDirectory);
  }
}
