import { type Base, ENTRY, LOG_AT } from './bases.ts';

/**
 * What a flip must give, for every byte of superblock, claim ring and log. `report`: something is
 * reported at `place`, and the tree stays (or, where `refused`, nothing is served at all).
 * `same tree`: nothing changes and nothing is reported. `shorter prefix`: the tree of the entries
 * before `index`, and a report there, unless the log's counter never promised that entry.
 */
export type Verdict = 'report' | 'same tree' | 'shorter prefix';

export interface Span {
  /** Device offset. */
  readonly at: number;
  readonly length: number;
  /** Of a log entry: the first that is lost. */
  readonly index?: number;
}

export interface Region {
  readonly name: string;
  readonly gives: Verdict;
  readonly place?: 'superblock' | 'log header' | 'claim';
  readonly refused?: true;
  readonly why: string;
  /** Where a base image has such bytes. */
  readonly spans: (base: Base) => Span[];
}

const covered = 'under the superblock\'s CRC';
const untouched = 'nobody reads it';

function superblock(
  name: string, at: number, length: number, gives: Verdict, why: string, more: Partial<Region> = {},
): Region {
  const place = gives === 'report' ? { place: 'superblock' as const } : {};
  return { name: `superblock ${name}`, gives, why, ...place, ...more, spans: () => [{ at, length }] };
}

const refused = { refused: true } as const;

const superblockRegions: Region[] = [
  superblock('magic', 0, 8, 'report', 'without it there is no famfs', refused),
  superblock('version', 8, 8, 'report', 'only one is known', refused),
  superblock('log offset', 16, 8, 'report', covered, refused),
  superblock('log length', 24, 8, 'report', covered, refused),
  superblock('allocation unit', 32, 8, 'report', covered, refused),
  superblock('format versions', 40, 8, 'report', covered, refused),
  superblock('UUID', 48, 16, 'report', covered, refused),
  superblock('device UUID', 64, 16, 'report', covered, refused),
  superblock('system UUID', 80, 16, 'report', covered, refused),
  superblock('CRC', 96, 8, 'report', 'all 64 bits of the field count', refused),
  superblock('flags', 104, 4, 'same tree', 'outside the CRC, and nobody reads it'),
  superblock('padding', 108, 4, 'same tree', untouched),
  superblock('device size', 112, 8, 'report', 'outside the CRC: clamped to the device, and told; maps are judged by the device'),
  superblock('daxdev UUID', 120, 16, 'same tree', untouched),
  superblock('device name', 136, 64, 'same tree', 'a hint for people'),
  superblock('rest of the first page', 200, 3896, 'same tree', 'mkfs of the reference leaves old bytes there'),
  superblock('change word', 4096, 8, 'same tree', 'says that states changed; a fresh replay reads them all'),
  superblock('before the claim ring', 4104, 16384 - 4104, 'same tree', untouched),
  superblock('behind the claim ring', 16384 + 64 * 16384, 65536, 'same tree', untouched),
];

const RECORD = 16384;
const recordAt = (number: number) => 16384 + number * RECORD;

/** Parts of a claim record: where they begin, and how long they are in that record. */
const HEAD = { at: 0, length: () => 144 };
const LIST = {
  at: 1024,
  length: ({ device }: Base, number: number) => {
    const list = recordAt(number) + 1024;
    return 16 + device.bytes.readUInt32LE(list + 8) * 8 + device.bytes.readUInt32LE(list + 12) * 4;
  },
};

type Part = { readonly at: number; readonly length: (base: Base, number: number) => number };

function claim(
  name: string, part: Part, which: (base: Base) => readonly number[], gives: Verdict, why: string, lost = false,
): Region {
  return {
    name: `claim ${name}`, gives, why, ...(gives === 'same tree' ? {} : { place: 'claim' as const }),
    spans: (base) => which(base).map((number) => ({
      at: recordAt(number) + part.at, length: part.length(base, number),
      ...(lost ? { index: base.withoutClaims().end } : {}),
    })),
  };
}

const needed = (base: Base) => (base.guardsMatter && base.inForce !== undefined ? [base.inForce] : []);
const spare = (base: Base) => base.records.filter((number) => !needed(base).includes(number));
const unused = (base: Base) => [0, 5, 17, 63].filter((number) => !base.records.includes(number));
const all = (base: Base) => [...base.records, ...unused(base)];
const fixed = (at: number, length: number): Part => ({ at, length: () => length });
const behindList: Part = { at: 1024 + 4096, length: () => RECORD - 1024 - 4096 };

const claimRegions: Region[] = [
  claim('head, its guards in use', HEAD, needed, 'shorter prefix', 'the record does not count, so the guarded slots are read', true),
  claim('list, its guards in use', LIST, needed, 'shorter prefix', 'the list before it is in force, and has no such guards', true),
  claim('head, nothing lost with it', HEAD, spare, 'report', 'the record does not count: its CRC is wrong'),
  claim('list, nothing lost with it', LIST, (base) => spare(base).filter((number) => hasList(base, number)), 'report', 'the list does not count: its CRC is wrong'),
  claim('head of an unused record', HEAD, unused, 'report', 'something is there, and it is no head'),
  claim('list of an unused record', fixed(1024, 1024), unused, 'same tree', 'without a head there is no list'),
  claim('behind the head', fixed(144, 48), all, 'same tree', untouched),
  claim('heartbeat', fixed(192, 8), all, 'same tree', 'changes all the time'),
  claim('entry being scrubbed', fixed(256, 8), all, 'same tree', 'matters to writers alone'),
  claim('closed', fixed(320, 8), all, 'same tree', 'matters to writers alone'),
  claim('between words', fixed(328, 696), all, 'same tree', untouched),
  claim('behind the list', behindList, all, 'same tree', 'longer than any list of these'),
];

function hasList({ device }: Base, number: number): boolean {
  return device.bytes.readUInt32LE(recordAt(number) + 1024) !== 0;
}

function header(name: string, at: number, length: number, why: string, more: Partial<Region> = {}): Region {
  return { name: `log header ${name}`, gives: 'report', place: 'log header', why, ...more, spans: () => [{ at: LOG_AT + at, length }] };
}

const headerRegions: Region[] = [
  header('magic', 0, 8, 'without it there is no log', refused),
  header('length', 8, 8, 'under the header\'s CRC', refused),
  header('last index', 16, 8, 'under the header\'s CRC', refused),
  header('CRC', 24, 8, 'all 64 bits of the field count', refused),
  header('next sequence number', 32, 8, 'differs from the index; entries alone say where the log ends'),
  header('next index', 40, 8, 'differs from the sequence number, and from where the entries end'),
];

/** Fields of a log entry. The payload is split where a FILE's map begins. */
const fields = [
  ['sequence number', 0, 8], ['type', 8, 4], ['padding', 12, 4], ['payload', 16, 104], ['payload behind a path', 120, 416], ['CRC', 536, 8],
] as const;

function entries(which: string, slots: (base: Base) => readonly number[], gives: Verdict, why: string): Region[] {
  return fields.map(([field, at, length]) => ({
    name: `log entry (${which}) ${field}`, gives, why,
    spans: (base) => slots(base).map((index) => ({ at: LOG_AT + 48 + index * ENTRY + at, length, index })),
  }));
}

const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from) }, (_, k) => from + k);
const readable = (base: Base, from: number, to: number) => range(from, to).filter((slot) => !base.guards.includes(slot));

const entryRegions: Region[] = [
  ...entries('counted', (base) => readable(base, 0, Math.min(base.nextIndex, base.whole.end) - 1), 'shorter prefix',
    'the CRC covers it: replay stops there, dead entries included'),
  ...entries('last counted', (base) => readable(base, base.nextIndex - 1, base.nextIndex), 'shorter prefix',
    'the counter promises it, so its loss is damage'),
  ...entries('past the counter', (base) => readable(base, base.nextIndex, base.whole.end), 'shorter prefix',
    'not visible yet: the log ends before it, and that is no damage'),
  ...entries('guarded', (base) => base.guards, 'same tree', 'skipped, whatever it holds'),
  ...entries('behind the end', (base) => range(base.whole.end, base.slots), 'same tree', 'no flip makes a valid entry of nothing'),
  {
    name: 'log, behind its last slot', gives: 'same tree', why: 'no slot fits there',
    spans: (base) => [{ at: LOG_AT + 48 + base.slots * ENTRY, length: base.logLength - 48 - base.slots * ENTRY }],
  },
];

/** The table: a case of the fuzz picks a line, then an image that has such bytes. */
export const regions: readonly Region[] = [...superblockRegions, ...claimRegions, ...headerRegions, ...entryRegions];
