import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { crc32 } from 'node:zlib';
import { Replayer } from '../../src/famfs/log/replayer.ts';
import { mkfs } from '../../src/famfs/mkfs/mkfs.ts';
import { sourceOf } from '../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../src/famfs/pool/pool.ts';
import { PoolWriter } from '../../src/famfs/writer/writer.ts';
import { remove, shmFile, tempDir } from '../harness/temp.ts';
import { oracle, type OracleTree } from '../oracle/replay.ts';
import { MemoryDevice } from '../support/memory-device.ts';
import { vector } from '../support/vectors.ts';
import { ALL_NAMED, oracleTree, problemKey, treeSum } from './tree.ts';

export const LOG_AT = 0x200000;
export const ENTRY = 544;
/** Longest log that a case may claim. */
export const LOG_ROOM = 65536;
const RING = { at: 16384, records: 64, length: 16384 };

/** What the oracle says of an image. */
export interface Expected {
  readonly sum: number;
  readonly problems: string;
  readonly end: number;
}

/** A sound image that cases start from, and what it looks like. */
export interface Base {
  readonly name: string;
  readonly device: MemoryDevice;
  readonly slots: number;
  /** Bytes of the log behind its last slot, and where the log ends. */
  readonly logLength: number;
  readonly nextIndex: number;
  readonly whole: Expected;
  /** What is reported of it as it stands. */
  readonly reasons: ReadonlySet<string>;
  /** Slots that the claim ring guards. */
  readonly guards: readonly number[];
  /** Records of the ring with a valid head, and the one whose list is in force. */
  readonly records: readonly number[];
  readonly inForce: number | undefined;
  /** Whether readers would stop, or go wrong, without the guard list. */
  readonly guardsMatter: boolean;
  /** What stays when the log ends before slot k, or when the claim ring is lost. */
  before(index: number): Expected;
  withoutClaims(): Expected;
}

/** Every base image. The writers' own are made by the one writer, on a simulated device. */
export async function makeBases(): Promise<Base[]> {
  const vectors = ['b-mixed', 'e-max', 'e-edge'].map((name) => {
    const { superblock, log, json } = vector(name);
    return makeBase(name, superblock, log, json.device_size);
  });
  return [...vectors, ...await writtenBases()];
}

function makeBase(
  name: string, superblock: Buffer, log: Buffer, size: number, edit: (log: Buffer) => void = () => {},
): Base {
  const device = new MemoryDevice(size, LOG_ROOM);
  const slots = Math.min(Math.floor((log.length - 48) / ENTRY), Number(log.readBigUInt64LE(40))) + 4;
  const logLength = 48 + ENTRY * slots + 104;
  superblock.copy(device.bytes);
  log.copy(device.bytes, LOG_AT, 0, Math.min(log.length, 48 + ENTRY * slots));
  cutLog(device.bytes, logLength);
  edit(device.bytes.subarray(LOG_AT));
  return describe(name, device, slots, logLength);
}

/** Makes the log as short as a fuzz wants it. */
export function cutLog(image: Buffer, logLength: number): void {
  image.writeBigUInt64LE(BigInt(logLength), 24);
  image.writeBigUInt64LE(BigInt(crc32(image.subarray(0, 96))), 96);
  const log = image.subarray(LOG_AT);
  log.writeBigUInt64LE(BigInt(logLength), 8);
  log.writeBigUInt64LE(BigInt(Math.floor((logLength - 48) / ENTRY) - 1), 16);
  log.writeBigUInt64LE(BigInt(crc32(log.subarray(0, 24))), 24);
}

function describe(name: string, device: MemoryDevice, slots: number, logLength: number): Base {
  const whole = expected(device, device.bytes);
  const ring = Array.from({ length: RING.records }, (_, k) => {
    const at = RING.at + k * RING.length;
    return device.bytes.subarray(at, at + RING.length);
  });
  const records = ring.flatMap((record, k) => (record.readUInt32LE(8) === 1 ? [k] : []));
  const withList = records.filter((k) => ring[k].readUInt32LE(1024) !== 0);
  const inForce = withList.sort((a, b) => Number(ring[b].readBigUInt64LE(32) - ring[a].readBigUInt64LE(32)))[0];
  const guards: number[] = [];
  for (let k = 0; inForce !== undefined && k < ring[inForce].readUInt32LE(1032); k++) {
    const first = ring[inForce].readUInt32LE(1040 + k * 8);
    for (let slot = first; slot < first + ring[inForce].readUInt32LE(1044 + k * 8); slot++) guards.push(slot);
  }
  const cache = new Map<number, Expected>();
  const changed = (key: number, change: (image: Buffer) => void) => {
    const known = cache.get(key);
    if (known) return known;
    const image = Buffer.from(device.bytes);
    change(image);
    const result = expected(device, image);
    cache.set(key, result);
    return result;
  };
  const withoutClaims = () => changed(-1, (image) => image.fill(0, RING.at, RING.at + RING.records * RING.length));
  return {
    name, device, slots, logLength, whole, guards, records, inForce, withoutClaims,
    reasons: new Set(Replayer.create(device, ALL_NAMED).problems.map(({ reason }) => reason)),
    nextIndex: Number(device.bytes.readBigUInt64LE(LOG_AT + 40)),
    guardsMatter: guards.length > 0 && withoutClaims().end !== whole.end,
    before: (index) => changed(index, (image) => {
      const at = LOG_AT + 48 + index * ENTRY;
      image.fill(0, at, at + ENTRY);
    }),
  };
}

function expected(device: MemoryDevice, image: Buffer): Expected {
  const tree = oracle({ superblock: image, log: image.subarray(LOG_AT), deviceSize: device.size }) as OracleTree;
  return { sum: treeSum(oracleTree(tree.nodes)), problems: problemKey(tree.problems), end: tree.end };
}

/** Images with claims, deleted entries, and guards: by two writers, the first of which never stopped. */
async function writtenBases(): Promise<Base[]> {
  const path = shmFile('fuzz');
  const size = 64 * 2 ** 20;
  const clusterUuid = randomUUID();
  const identity = { clusterUuid, hostId: 'fuzz', hostDirectory: tempDir('fuzz') };
  await mkfs(path, { clusterUuid, simulate: size });
  const read = () => {
    const fd = fs.openSync(path, 'r');
    const image = Buffer.alloc(LOG_AT + LOG_ROOM);
    fs.readSync(fd, image, 0, image.length, 0);
    fs.closeSync(fd);
    return [image.subarray(0, LOG_AT), image.subarray(LOG_AT)] as const;
  };
  const owner = { uid: 7, gid: 8 };
  const volume = (writer: PoolWriter, name: string, bytes: number) => writer.create([
    { kind: 'directory', path: name, mode: 0o750, ...owner, record: { name, kind: 'volume', parameters: { a: 'b' }, createdAt: 5 } },
    { kind: 'file', path: `${name}/data`, size: bytes, mode: 0o640, ...owner },
  ]);

  const first = Pool.open(sourceOf(path), { writable: true });
  const one = await PoolWriter.acquire(first, { identity });
  volume(one, 'kept', 3_000_000);
  volume(one, 'gone', 2_000_000);
  volume(one, 'half', 6_000_000);
  one.remove('gone/data');
  one.remove('gone');
  one.remove('half/data');
  const plain = read();
  // Not closed, and its lock is held: the next one has to put guards.
  const second = Pool.open(sourceOf(path), { writable: true });
  const two = await PoolWriter.acquire(second, { identity, waitMs: 1, silentSince: () => 0 });
  volume(two, 'later', 4_000_000);
  const guarded = read();
  two.close();
  second.close();
  one.close();
  first.close();
  remove(path);

  const lag = (log: Buffer) => {
    log.writeBigUInt64LE(log.readBigUInt64LE(40) - 2n, 40);
    log.writeBigUInt64LE(log.readBigUInt64LE(40), 32);
  };
  return [
    makeBase('written', ...plain, size),
    makeBase('lagging', ...plain, size, lag),
    makeBase('guarded', ...guarded, size),
    // What a paused first writer may do when it wakes: half an entry here, a sound one there.
    makeBase('guards hit', ...guarded, size, (log) => {
      const hit = 48 + 6 * ENTRY;
      log.fill(0x5a, hit + 100, hit + 300);
      log.copy(log, hit + ENTRY, 48 + ENTRY, 48 + 2 * ENTRY);
    }),
  ];
}
