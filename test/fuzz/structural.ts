import { crc } from '../oracle/crc.ts';
import { type Base, ENTRY, LOG_AT } from './bases.ts';
import type { Patch } from './patch.ts';
import type { Random } from './random.ts';

/**
 * Changes of what the bytes mean, with every CRC made right again: what no damage does, and a
 * program gone wrong may. Each takes an image to another that only the rules can judge.
 */
const MIB2 = 0x200000;
/** What keeps an entry's CRC when a state word changes, as the format's documents give it. */
const steps = [
  [0x00001001, 0xa49ac415], [0x00001002, 0xb62f6bfb], [0x00000003, 0x12b5afee], [0x00001003, 0x0e930c9e],
] as const;
const types = [0, 0, 1, 1, 2, 3, 4, 99, 0x1000, 0x1001, 0x1001, 0x1002, 0x1003];
const names = ['a', 'b', 'kept', 'models', 'data', 'x', 'ä', '日本', 'n'.repeat(30)];
const oddBytes = [0x00, 0x01, 0x1f, 0x20, 0x2e, 0x2f, 0x2f, 0x7f, 0x80, 0xc2, 0x9f, 0xa0, 0xe0, 0xed, 0xf4, 0xff];

/** One image under change. */
class Target {
  readonly random: Random;
  readonly patch: Patch;
  readonly base: Base;

  constructor(random: Random, patch: Patch, base: Base) {
    this.random = random;
    this.patch = patch;
    this.base = base;
  }

  at(index: number): number {
    return LOG_AT + 48 + index * ENTRY;
  }

  /** An entry to change, most often one that is there. */
  slot(): number {
    return this.random.below(Math.min(this.base.slots, this.base.whole.end + (this.random.chance(8) ? 3 : 0)));
  }

  seal(index: number): void {
    const at = this.at(index);
    this.patch.u64(at + 536, BigInt(crc(this.patch.bytes, at, at + 536)));
  }

  /** Opens an entry, lets it be changed, and repairs its CRC. */
  edit(change: (entry: Buffer, index: number) => void, index = this.slot()): void {
    change(this.patch.open(this.at(index), ENTRY), index);
    this.seal(index);
  }

  sealSuperblock(): void {
    this.patch.u64(96, BigInt(crc(this.patch.bytes, 0, 96)));
  }

  sealHeader(): void {
    this.patch.u64(LOG_AT + 24, BigInt(crc(this.patch.bytes, LOG_AT, LOG_AT + 24)));
  }

  /** A number that is likely to meet a limit or another file. */
  place(): bigint {
    const { random, base } = this;
    const other = this.at(this.slot()) + 136 + 24 * random.below(3);
    switch (random.below(9)) {
      case 0: return BigInt(base.device.size);
      case 1: return BigInt(base.device.size) - BigInt(MIB2 * random.below(3));
      case 2: return BigInt(random.below(4) * MIB2);
      case 3: return BigInt(random.below(40) * MIB2);
      case 4: return BigInt(random.below(5000) * 4096);
      case 5: return random.chance(3) ? BigInt(random.word()) << BigInt(random.below(33)) : BigInt(random.word());
      default: return this.patch.bytes.readBigUInt64LE(other + 8 * random.below(3)) + BigInt(random.chance(4) ? MIB2 : 0);
    }
  }

  path(): Buffer {
    const { random } = this;
    const field = Buffer.alloc(80);
    const depth = 1 + random.below(3);
    field.write(Array.from({ length: depth }, () => random.pick(names)).join('/'), 'utf8');
    if (random.chance(4)) field[random.below(80)] = random.pick(oddBytes);
    return field;
  }
}

type Change = (target: Target) => void;

const pathAt = (entry: Buffer) => (entry.readUInt32LE(8) === 1 ? 28 : 40);

const entryChanges: Record<string, Change> = {
  'path byte': (t) => t.edit((entry) => { entry[pathAt(entry) + t.random.below(t.random.chance(4) ? 80 : 16)] = t.random.pick(oddBytes); }),
  'path end': (t) => t.edit((entry) => {
    const end = entry.indexOf(0, pathAt(entry));
    entry.write(t.random.pick(['/', '//', '/.', '/..', '/...', '.', ' ', '\u0085', '\u009f', '\u00a0', '\ufeff', '\ud7ff']), end < 0 ? pathAt(entry) : end, 'utf8');
  }),
  'another path': (t) => t.edit((entry) => void t.path().copy(entry, pathAt(entry))),
  'the path of another entry': (t) => {
    const from = t.at(t.slot());
    const field = Buffer.from(t.patch.bytes.subarray(from, from + ENTRY));
    t.edit((entry) => void field.copy(entry, pathAt(entry), pathAt(field), pathAt(field) + 80));
  },
  'path without end': (t) => t.edit((entry) => void entry.fill(0x61, pathAt(entry), pathAt(entry) + 79 + t.random.below(2))),
  'long path': (t) => t.edit((entry) => void entry.write('d/'.repeat(39) + 'e\0', pathAt(entry) + 2 * t.random.below(2))),
  type: (t) => t.edit((entry) => void entry.writeUInt32LE(t.random.pick(types), 8)),
  padding: (t) => t.edit((entry) => void entry.writeUInt32LE(t.random.word(), 12)),
  'state step': (t) => { // keeps the CRC by itself: no repair
    const word = t.patch.open(t.at(t.slot()) + 8, 8);
    const [type, padding] = t.random.pick(steps);
    word.writeUInt32LE((word.readUInt32LE(0) ^ type) >>> 0, 0);
    word.writeUInt32LE((word.readUInt32LE(4) ^ padding) >>> 0, 4);
  },
  'extent type': (t) => t.edit((entry) => void entry.writeUInt32LE(t.random.below(3), 120)),
  'extent count': (t) => t.edit((entry) => void entry.writeUInt32LE(t.random.chance(5) ? t.random.word() : t.random.below(19), 128)),
  'device number': (t) => t.edit((entry) => void entry.writeUInt32LE(t.random.below(2), 136 + 24 * t.random.below(3) + 4 * t.random.below(2))),
  'extent offset': (t) => t.edit((entry) => void entry.writeBigUInt64LE(BigInt.asUintN(64, t.place()), extentAt(t, entry) + 8)),
  'extent length': (t) => t.edit((entry) => void entry.writeBigUInt64LE(BigInt.asUintN(64, t.place()), extentAt(t, entry) + 16)),
  'one more extent': (t) => t.edit((entry) => {
    const count = Math.min(16, entry.readUInt32LE(128) + 1);
    entry.writeUInt32LE(count, 128);
    entry.writeBigUInt64LE(t.place() / BigInt(MIB2) * BigInt(MIB2) % 2n ** 64n, 136 + 24 * (count - 1) + 8);
    entry.writeBigUInt64LE(BigInt((1 + t.random.below(3)) * MIB2), 136 + 24 * (count - 1) + 16);
  }),
  'file size': (t) => t.edit((entry) => void entry.writeBigUInt64LE(BigInt.asUintN(64, t.place() - BigInt(t.random.below(3))), 16)),
  'file size by what its extents hold': (t) => t.edit((entry) => {
    let held = 0n;
    for (let k = 0; k < Math.min(16, entry.readUInt32LE(128)); k++) held += entry.readBigUInt64LE(136 + 24 * k + 16);
    entry.writeBigUInt64LE(BigInt.asUintN(64, held + BigInt(t.random.below(3)) - 1n), 16);
  }),
  'strip count': (t) => t.edit((entry) => void entry.writeBigUInt64LE(BigInt(t.random.below(19)), 136)),
  'chunk size': (t) => t.edit((entry) => {
    entry.writeBigUInt64LE(t.random.chance(3) ? BigInt.asUintN(64, t.place()) : BigInt(MIB2 << t.random.below(4)), 144);
  }),
  'mode and owner': (t) => t.edit((entry) => void entry.writeUInt32LE(t.random.word(), t.random.pick([16, 20, 24, 28, 32, 36]))),
  'sequence number': (t) => t.edit((entry) => void entry.writeBigUInt64LE(BigInt(t.random.below(t.base.slots)), 0)),
  'a file in its place': (t) => t.edit((entry, index) => {
    entry.fill(0);
    entry.writeBigUInt64LE(BigInt(index), 0);
    entry.writeUInt32LE(t.random.pick([0, 0, 0, 1, 0x1001]), 8);
    const extents = 1 + t.random.below(3);
    entry.writeBigUInt64LE(BigInt(1 + t.random.below(extents * MIB2)), 16);
    t.path().copy(entry, pathAt(entry));
    if (entry.readUInt32LE(8) === 1) return;
    entry.writeUInt32LE(extents, 128);
    for (let k = 0; k < extents; k++) {
      entry.writeBigUInt64LE(BigInt((2 + t.random.below(12)) * MIB2), 136 + 24 * k + 8);
      entry.writeBigUInt64LE(BigInt(MIB2), 136 + 24 * k + 16);
    }
  }),
  'swap of two': (t) => copyEntries(t, [t.slot(), t.slot()]),
  'copy of another': (t) => copyEntries(t, [t.slot()]),
  'copy behind the end': (t) => {
    const from = Buffer.from(t.patch.bytes.subarray(t.at(t.slot())).subarray(0, ENTRY));
    if (t.base.whole.end === t.base.slots) return;
    t.edit((entry, index) => {
      from.copy(entry);
      entry.writeBigUInt64LE(BigInt(index), 0);
    }, t.base.whole.end);
  },
  'nothing in its place': (t) => void t.patch.open(t.at(t.slot()), ENTRY).fill(0),
};

function extentAt(t: Target, entry: Buffer): number {
  return (entry.readUInt32LE(120) === 1 ? 152 : 136) + 24 * t.random.below(3);
}

/** Exchanges two entries, or copies one over another; most often with sequence numbers that fit. */
function copyEntries(t: Target, slots: number[]): void {
  const targets = slots.length === 2 ? [slots[1], slots[0]] : [t.slot()];
  const sources = slots.map((slot) => Buffer.from(t.patch.bytes.subarray(t.at(slot), t.at(slot) + ENTRY)));
  const fitting = !t.random.chance(4);
  targets.forEach((index, k) => t.edit((entry) => {
    sources[k].copy(entry);
    if (fitting) entry.writeBigUInt64LE(BigInt(index), 0);
  }, index));
}

const recordAt = (number: number) => 16384 + number * 16384;

/** Writes a record of the claim ring as a writer would, or nearly. */
function writeRecord(t: Target): void {
  const { random, patch } = t;
  const epoch = random.chance(4) ? 1 + random.below(200) : 1 + random.below(4);
  const number = random.chance(10) ? random.below(64) : epoch % 64;
  const record = patch.open(recordAt(number), 2048);
  record.fill(0);
  record.write('famfsclm', 0, 'latin1');
  record.writeUInt32LE(random.chance(10) ? 2 : 1, 8);
  (random.chance(10) ? Buffer.alloc(16, 7) : patch.bytes.subarray(48, 64)).copy(record, 16);
  record.writeBigUInt64LE(BigInt(epoch) + (random.chance(20) ? 1n << 32n : 0n), 32);
  record.write(random.pick(['host/1', 'h'.repeat(64), '']), 56, 'latin1');
  record.writeBigUInt64LE(BigInt(crc(record, 0, 136)), 136);
  if (!random.chance(4)) writeList(t, record);
}

function writeList(t: Target, record: Buffer): void {
  const { random } = t;
  const guards = random.below(4);
  const abandoned = random.below(3);
  record.writeUInt32LE(guards, 1032);
  record.writeUInt32LE(abandoned, 1036);
  for (let k = 0; k < guards; k++) {
    record.writeUInt32LE(random.chance(12) ? random.word() : random.below(t.base.slots), 1040 + 8 * k);
    record.writeUInt32LE(random.chance(12) ? random.word() : random.chance(6) ? random.below(6) : 4 * (1 + random.below(2)), 1044 + 8 * k);
  }
  const who = Buffer.alloc(72);
  record.copy(who, 0, 32, 40);
  const end = record.subarray(56, 120).indexOf(0);
  record.copy(who, 8, 56, end < 0 ? 120 : 56 + end);
  record.writeBigUInt64LE(BigInt(crc(record, 1032, 1040 + guards * 8 + abandoned * 4, crc(who))), 1024);
}

const frameChanges: Record<string, Change> = {
  'next index': (t) => t.patch.u64(LOG_AT + 40, counter(t)),
  'next sequence number': (t) => t.patch.u64(LOG_AT + 32, counter(t)),
  'last index': (t) => { t.patch.u64(LOG_AT + 16, BigInt(t.base.slots - t.random.below(3))); t.sealHeader(); },
  'log length': (t) => {
    const length = t.random.chance(4) ? BigInt(t.random.word()) << 20n : BigInt(t.random.below(t.base.logLength + 700));
    t.patch.u64(24, length);
    t.sealSuperblock();
    if (t.random.chance(5)) return;
    t.patch.u64(LOG_AT + 8, length);
    t.patch.u64(LOG_AT + 16, (length - 48n) / 544n - 1n);
    t.sealHeader();
  },
  'allocation unit': (t) => { t.patch.u64(32, t.random.pick([4096n, 4096n, 4096n, 0n, 8192n, 0x200000n])); t.sealSuperblock(); },
  'log offset': (t) => { t.patch.u64(16, t.random.pick([0n, 4096n, 0x400000n])); t.sealSuperblock(); },
  'file system UUID': (t) => { t.patch.u32(48, t.random.word()); t.sealSuperblock(); },
  'format versions': (t) => { t.patch.u32(40, t.random.below(4)); t.sealSuperblock(); },
  'device size': (t) => t.patch.u64(112, t.place()),
  'claim record': writeRecord,
  'claim list': (t) => {
    const number = t.base.inForce;
    if (number !== undefined) writeList(t, t.patch.open(recordAt(number), 2048));
  },
  'change word': (t) => t.patch.u64(4096, BigInt(t.random.word())),
};

function counter(t: Target): bigint {
  if (t.random.chance(8)) return BigInt(t.random.word()) << BigInt(t.random.below(33));
  return BigInt(t.random.below(t.base.slots + 3));
}

const common = Object.entries(entryChanges);
const rare = Object.entries(frameChanges);

/** Names of all changes, for a count that none was left out. */
export const structuralChanges: readonly string[] = [...common, ...rare].map(([name]) => name);

/** Makes one to five changes; answers their names. */
export function changeStructure(random: Random, patch: Patch, base: Base): string[] {
  const target = new Target(random, patch, base);
  return Array.from({ length: 1 + random.below(5) }, () => {
    const [name, change] = random.pick(random.chance(5) ? rare : common);
    change(target);
    return name;
  });
}
