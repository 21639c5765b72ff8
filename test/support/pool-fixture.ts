/** A simulated pool with its writer, in the test's own process. */
import { randomUUID } from 'node:crypto';
import { mkfs } from '../../src/famfs/mkfs/mkfs.ts';
import { sourceOf } from '../../src/famfs/pool/pool-source.ts';
import { Pool, type PoolUsage } from '../../src/famfs/pool/pool.ts';
import { PoolWriter } from '../../src/famfs/writer/writer.ts';
import { remove, shmFile, tempDir } from '../harness/temp.ts';

export class PoolFixture {
  /** The simulated device. */
  readonly path: string;
  readonly pool: Pool;
  readonly #writer: PoolWriter;

  private constructor(path: string, pool: Pool, writer: PoolWriter) {
    this.path = path;
    this.pool = pool;
    this.#writer = writer;
  }

  /** Formats a new simulated device and takes its claim. */
  static async make(size: number): Promise<PoolFixture> {
    const path = shmFile('pool');
    const clusterUuid = randomUUID();
    await mkfs(path, { clusterUuid, simulate: size });
    const pool = Pool.open(sourceOf(path));
    const identity = { clusterUuid, hostId: 'writer', hostDirectory: tempDir('writer') };
    return new PoolFixture(path, pool, await PoolWriter.acquire(pool, { identity }));
  }

  /** Of its log. */
  get logLife(): string {
    return this.pool.replayer.identity.logLife;
  }

  get uuid(): string {
    return this.pool.uuid;
  }

  /** Makes a volume as CSI does: a directory and its one file, visible at once. */
  volume(name: string, size: number): void {
    this.#writer.create([
      { kind: 'directory', path: name, mode: 0o755, uid: 0, gid: 0 },
      { kind: 'file', path: `${name}/data`, size, mode: 0o644, uid: 0, gid: 0 },
    ]);
  }

  /** Makes directories, which take no memory, below one that is there. */
  directories(paths: readonly string[]): void {
    for (let k = 0; k < paths.length; k += 4) {
      this.#writer.create(paths.slice(k, k + 4).map((path) => ({ kind: 'directory', path, mode: 0o755, uid: 0, gid: 0 })));
    }
  }

  remove(path: string): void {
    this.#writer.remove(path);
  }

  /** The pool's change word. */
  get change(): bigint {
    return this.pool.replayer.ring.changeWord();
  }

  /** The node id of a path, as the log has it. */
  node(path: string): number {
    return this.pool.stat(path)!.node;
  }

  usage(): PoolUsage {
    this.pool.refresh();
    return this.pool.usage();
  }

  /** Ends the writer alone. */
  stopWriting(): void {
    this.#writer.close();
  }

  close(): void {
    this.#writer.close();
    this.pool.close();
    remove(this.path);
  }
}
