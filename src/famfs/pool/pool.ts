import { Allocator } from '../alloc/allocator.ts';
import type { Run } from '../alloc/free-runs.ts';
import type { OpenOptions } from '../device/open.ts';
import type { PoolMemory } from '../device/pool-memory.ts';
import { DirectoryLayout, EntryLayout } from '../format/entry-layout.ts';
import { entryIsValid } from '../format/entry.ts';
import { entryOffset } from '../format/log-header.ts';
import { decodeVolumeRecord, type VolumeRecord } from '../format/volume-record.ts';
import { indexOf, ROOT } from '../index/index-store.ts';
import { type IndexUsage, type IndexView, Liveness } from '../index/index-view.ts';
import { memoryOf } from '../log/entry-memory.ts';
import type { ReplayBounds } from '../log/log-replay.ts';
import type { Problem } from '../log/problem.ts';
import { type ReplayDelta, Replayer } from '../log/replayer.ts';
import { openMemory, type PoolSource } from './pool-source.ts';

/** Bytes and slots of a pool. */
export interface PoolUsage extends IndexUsage {
  /** The largest single extent that could be had. */
  readonly largestContiguousBytes: number;
  /** The largest file that could be made. */
  readonly largestAllocatableBytes: number;
  readonly slotsFree: number;
}

/** A live file or directory. */
export interface PoolNode {
  readonly node: number;
  /** Relative to the pool's root, without a leading slash. */
  readonly path: string;
  readonly kind: 'file' | 'directory';
  /** Bytes; 0 for a directory. */
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** What a volume's directory says about the volume. */
  readonly record?: VolumeRecord;
}

/** One famfs file system, as the command line and the controller use it. */
export class Pool {
  readonly memory: PoolMemory;
  readonly replayer: Replayer;
  /** Set by the writer of this process: entries whose memory is not free, though they may be void. */
  reservedEntries: (() => readonly number[]) | undefined;

  /**
   * Opens a pool's devices and replays its log.
   * Throws FamfsError DEVICE, IN_USE, READ_ONLY, REPLACED, NOT_FAMFS, DAMAGED or UNSUPPORTED.
   */
  static open(source: PoolSource, options: OpenOptions & ReplayBounds = {}): Pool {
    const memory = openMemory(source, options);
    try {
      return Pool.on(memory, options);
    } catch (error) {
      memory.close();
      throw error;
    }
  }

  /** The pool in memory that is open already. Throws FamfsError NOT_FAMFS, DAMAGED or UNSUPPORTED. */
  static on(memory: PoolMemory, bounds: ReplayBounds = {}): Pool {
    return new Pool(memory, Replayer.create(memory, bounds));
  }

  private constructor(memory: PoolMemory, replayer: Replayer) {
    this.memory = memory;
    this.replayer = replayer;
  }

  get uuid(): string {
    return this.replayer.geometry.superblock.uuid;
  }

  /** The cluster that owns the pool. */
  get systemUuid(): string {
    return this.replayer.geometry.superblock.systemUuid;
  }

  get allocationUnit(): number {
    return this.replayer.geometry.allocationUnit;
  }

  get view(): IndexView {
    return this.replayer.view;
  }

  /** As `Replayer.problems`. */
  get problems(): readonly Problem[] {
    return this.replayer.problems;
  }

  /** Applies what the log has gained and lost since the last call. */
  refresh(): ReplayDelta {
    return this.replayer.catchUp();
  }

  /** The live node at a path, or undefined. */
  stat(path: string): PoolNode | undefined {
    const node = this.view.resolve(path);
    return node === 0 ? undefined : this.describe(node);
  }

  /** What is in a directory, in the order it was made. Empty when there is no such directory. */
  list(directory: string): PoolNode[] {
    return [...this.nodesIn(directory)].map((node) => this.describe(node));
  }

  /** What is in a directory, by node id, in the order it was made: for who needs only some. It must not change meanwhile. */
  *nodesIn(directory: string): Generator<number> {
    const parent = this.view.resolve(directory);
    if (parent === 0) return;
    for (let node = this.view.firstChild(parent); node !== 0; node = this.view.nextSibling(node)) {
      if (this.view.liveness(node) === Liveness.Live) yield node;
    }
  }

  /** Whether nothing is in a directory. */
  isEmpty(directory: string): boolean {
    return this.nodesIn(directory).next().done === true;
  }

  /** Every live file and directory below a directory, parents before children. */
  *walk(directory = ''): Generator<PoolNode> {
    for (const node of this.list(directory)) {
      yield node;
      if (node.kind === 'directory') yield* this.walk(node.path);
    }
  }

  usage(): PoolUsage {
    const allocator = this.allocator();
    const usage = this.view.usage();
    return {
      ...usage,
      largestContiguousBytes: allocator.largestContiguous,
      largestAllocatableBytes: allocator.largestAllocatable,
      slotsFree: usage.slotsTotal - usage.slotsUsed,
    };
  }

  /** A new allocator over all that is free now. */
  allocator(): Allocator {
    const { allocatable, allocationUnit } = this.replayer.geometry;
    return new Allocator(allocationUnit, this.freeRuns(allocatable));
  }

  /**
   * What is free in some areas of the memory, which are in ascending order. Not what a reject names, nor what a former
   * writer may still be zeroing: without a writer in this process, that is what the list in force calls abandoned.
   */
  freeRuns(areas: readonly Run[]): Run[] {
    const { replayer } = this;
    const reserved = this.reservedEntries?.() ?? replayer.ring.listInForce().abandoned;
    return replayer.freeRuns(areas, reserved.flatMap((index) => memoryOf(replayer.geometry, index)));
  }

  /** Copies bytes into a file, from `offset` on. What does not fit into the file is left out. Throws FamfsError READ_ONLY. */
  write(node: number, offset: number, bytes: Uint8Array): void {
    let done = 0;
    for (const { start, end } of this.view.ranges(node, offset, bytes.length)) {
      this.memory.write(start, bytes.subarray(done, done + end - start));
      done += end - start;
    }
  }

  describe(node: number): PoolNode {
    const { view } = this;
    const directory = view.isDirectory(node);
    const record = directory && node !== ROOT ? this.#record(node) : undefined;
    return {
      node,
      path: view.path(node),
      kind: directory ? 'directory' : 'file',
      size: view.size(node),
      mode: view.mode(node),
      uid: view.uid(node),
      gid: view.gid(node),
      ...(record === undefined ? {} : { record }),
    };
  }

  /** Closes the devices. The pool must not be used afterwards. */
  close(): void {
    this.memory.close();
  }

  #record(node: number): VolumeRecord | undefined {
    const at = entryOffset(indexOf(node));
    const bytes = Buffer.from(this.replayer.geometry.log.bytes.subarray(at, at + EntryLayout.size));
    if (!entryIsValid(bytes, indexOf(node))) return undefined;
    return decodeVolumeRecord(bytes.subarray(DirectoryLayout.spare, DirectoryLayout.spare + DirectoryLayout.spareLength));
  }
}
