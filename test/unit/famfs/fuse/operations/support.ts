/** A pool that exists only in the test, and requests as the kernel would send them. */
import type { Run } from '../../../../../src/famfs/alloc/free-runs.ts';
import type { Window } from '../../../../../src/famfs/device/pool-memory.ts';
import { Counters } from '../../../../../src/famfs/fuse/host-state/counters.ts';
import { Override, type VolumeOf } from '../../../../../src/famfs/fuse/host-state/overrides.ts';
import { dispatch } from '../../../../../src/famfs/fuse/operations/dispatch.ts';
import type { FileSystem, ServedIndex, ServedOverrides } from '../../../../../src/famfs/fuse/operations/file-system.ts';
import { Call } from '../../../../../src/famfs/fuse/protocol/call.ts';
import { Liveness } from '../../../../../src/famfs/index/index-view.ts';

/** Pool addresses of one node's memory. */
const NODE_SPAN = 2 ** 32;

export interface FakeNode {
  parent: number;
  name: string;
  memory?: Uint8Array;
  mode?: number;
  uid?: number;
  gid?: number;
  dead?: boolean;
}

/** An index over plain objects. Children of a directory are in ascending order of their ids; the root is its own parent. */
export class FakeIndex implements ServedIndex {
  readonly poolUuid = '00112233-4455-4677-8899-aabbccddeeff';
  readonly allocationUnit = 0x200000;
  readonly nodes = new Map<number, FakeNode>([[1, { parent: 1, name: '', mode: 0o755 }]]);
  /** Applied by the next catchUp, as what another host wrote. */
  pending: [number, FakeNode][] = [];
  catchUps = 0;
  /** Another pool is in memory now. */
  isReplaced = false;

  isSamePool(): boolean {
    return !this.isReplaced;
  }

  lookup(parent: number, name: Uint8Array): number {
    const text = Buffer.from(name).toString();
    for (const [id, node] of this.nodes) if (node.parent === parent && node.name === text && !node.dead) return id;
    return 0;
  }
  liveness(id: number): 0 | 1 | 2 {
    const node = this.nodes.get(id);
    return node === undefined ? Liveness.Absent : node.dead ? Liveness.Dead : Liveness.Live;
  }
  isDirectory(id: number): boolean {
    return this.nodes.has(id) && this.nodes.get(id)!.memory === undefined;
  }
  size(id: number): number {
    return this.nodes.get(id)?.memory?.length ?? 0;
  }
  mode(id: number): number {
    return this.nodes.get(id)?.mode ?? 0o644;
  }
  uid(id: number): number {
    return this.nodes.get(id)?.uid ?? 0;
  }
  gid(id: number): number {
    return this.nodes.get(id)?.gid ?? 0;
  }
  parent(id: number): number {
    return this.nodes.get(id)?.parent ?? 0;
  }
  firstChild(directory: number): number {
    return this.childAfter(directory, 0);
  }
  nextSibling(id: number): number {
    return this.childAfter(this.parent(id), id);
  }
  childAfter(directory: number, cookie: number): number {
    const later = [...this.nodes].filter(([id, node]) => node.parent === directory && id > cookie && id > 1);
    return Math.min(...later.map(([id]) => id), Infinity) === Infinity ? 0 : Math.min(...later.map(([id]) => id));
  }
  name(id: number): Uint8Array {
    return Buffer.from(this.nodes.get(id)?.name ?? '');
  }
  ranges(id: number, offset: number, length: number): Run[] {
    // In pieces of 4 bytes: whoever uses them has to put them together.
    const wanted = Math.min(length, this.size(id) - offset);
    const start = NODE_SPAN * id + offset;
    return Array.from({ length: Math.max(0, Math.ceil(wanted / 4)) }, (_, k) => ({ start: start + 4 * k, end: start + Math.min(4 * k + 4, wanted) }));
  }
  /** The memory of each node begins at its id times NODE_SPAN. */
  window(address: number, length: number): Window {
    const offset = address % NODE_SPAN;
    return { address, bytes: this.nodes.get(Math.floor(address / NODE_SPAN))!.memory!.subarray(offset, offset + length) };
  }
  extents(): Run[] {
    return [{ start: 0xa00000, end: 0xc00000 }];
  }
  interleave(): { chunkSize: number } | undefined {
    return undefined;
  }
  isCurrent(): boolean {
    return this.pending.length === 0;
  }
  catchUp(): boolean {
    this.catchUps++;
    for (const [id, node] of this.pending) this.nodes.set(id, node);
    this.pending = [];
    return true;
  }
  usage(): ReturnType<ServedIndex['usage']> {
    return {
      totalBytes: 0x40000000, usedBytes: 0x800000, freeBytes: 0x3f600000, quarantinedBytes: 0x200000,
      files: 3, directories: 1, slotsTotal: 15420, slotsUsed: 20,
    };
  }
}

/** An override table over a Map. */
export class FakeOverrides implements ServedOverrides {
  readonly table = new Map<number, Override>();
  full = false;
  /** What the last change counted for. */
  volume = 0;
  isUsed(): boolean {
    return this.table.size > 0;
  }
  hasGroups(): boolean {
    return [...this.table.values()].some((override) => override.has(8));
  }
  createdSeconds(): number {
    return 1_700_000_000;
  }
  read(node: number, into: Override): boolean {
    const found = this.table.get(node);
    if (found !== undefined) Object.assign(into, found);
    return found !== undefined;
  }
  change(node: number, apply: (override: Override) => void, volumeOf: VolumeOf): boolean {
    this.volume = volumeOf(node);
    if (this.full) return false;
    const override = this.table.get(node) ?? new Override();
    apply(override);
    this.table.set(node, override);
    return true;
  }
}

export interface Reply {
  errno: number;
  body: Buffer;
  /** Header and body. */
  bytes: Buffer;
}

/** A file system without a mount: requests are bytes, replies are bytes. */
export class Bench {
  readonly index = new FakeIndex();
  readonly overrides = new FakeOverrides();
  readonly call = new Call(1024 * 1024);
  readonly counters = Counters.format(new ArrayBuffer(Counters.length(1)), 1);
  readonly failures: string[] = [];
  readonly fs: FileSystem = {
    index: this.index,
    overrides: this.overrides,
    memory: this.index,
    populated: { ensure: () => true },
    bad: [],
    cacheSeconds: 86_400,
    override: new Override(),
    failed: (operation, error) => this.failures.push(`${operation}: ${(error as Error).message}`),
  };

  /** Sends a request; undefined when there is no reply to it. */
  send(opcode: number, nodeid: number, args: Uint8Array = Buffer.alloc(0)): Reply | undefined {
    return this.raw(request(opcode, nodeid, args));
  }

  raw(bytes: Uint8Array): Reply | undefined {
    this.call.request.fill(0xee); // what the request before left behind
    this.call.request.set(bytes);
    if (!dispatch(this.call, bytes.length, this.fs, this.counters.of(0))) return undefined;
    const head = Buffer.from(this.call.reply.subarray(0, 16 + this.call.bodyLength));
    const reply = Buffer.concat([head, ...(this.call.windows ?? []).map(({ bytes }) => bytes)]);
    return { errno: 0 - reply.readInt32LE(4), body: reply.subarray(16), bytes: reply };
  }
}

/** A request of user 1000:1000, with a `unique` whose bit 63 is set, as after a resend. */
export function request(opcode: number, nodeid: number, args: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = hex`00000000 00000000  0706050403020180  0000000000000000  e8030000 e8030000  39300000 0000 0000`;
  head.writeUInt32LE(head.length + args.length, 0);
  head.writeUInt32LE(opcode, 4);
  head.writeBigUInt64LE(BigInt(nodeid), 16);
  return Buffer.concat([head, args]);
}

/** Bytes from hexadecimal text; blanks, and comments to the end of the line, are skipped. */
export function hex(text: TemplateStringsArray): Buffer {
  return Buffer.from(text[0].replaceAll(/\/\/.*/g, '').replaceAll(/\s/g, ''), 'hex');
}

/** Words of 32 bits, and with a trailing `n` of 64 bits, one after the other. */
export function words(...values: (number | bigint)[]): Buffer {
  return Buffer.concat(values.map((value) => {
    const bytes = Buffer.alloc(typeof value === 'bigint' ? 8 : 4);
    if (typeof value === 'bigint') bytes.writeBigInt64LE(BigInt.asIntN(64, value));
    else bytes.writeUInt32LE(value >>> 0);
    return bytes;
  }));
}
