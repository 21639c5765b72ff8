/**
 * What we make of every vector, beside what the reference makes of it. `fsck` is the exit status;
 * `problems` are "place index severity: reason"; `live` counts files and directories below the root.
 * Where the reference is unsafe, `unlike` says how ours differs.
 */
export interface Verdict {
  readonly fsck: 0 | 1 | 2;
  readonly live?: { files: number; directories: number };
  readonly problems: readonly string[];
  readonly unlike?: string;
}

const b = { files: 7, directories: 3 };
const counters = (index: number, seqnum: number) => `log header note: next_seqnum is ${seqnum}, next_index is ${index}`;

export const verdicts: Readonly<Record<string, Verdict>> = {
  'a-empty-4g': { fsck: 0, live: { files: 0, directories: 0 }, problems: [] },
  'a-empty-odd': { fsck: 0, live: { files: 0, directories: 0 }, problems: [] },
  'a-empty-16mlog': { fsck: 0, live: { files: 0, directories: 0 }, problems: [] },
  'b-mixed': { fsck: 0, live: b, problems: [] },
  'b-mixed-client': { fsck: 0, live: b, problems: [] },
  'c-1000': { fsck: 0, live: { files: 1000, directories: 10 }, problems: [] },
  'd-bad-entry-crc': {
    fsck: 1, live: { files: 2, directories: 2 },
    problems: ['log entry 4 damage: its CRC is 0x1056d4be, its bytes give 0x'],
    unlike: 'fsck of the reference skips the entry and exits 0',
  },
  'd-crc-high-bits': { fsck: 1, live: { files: 0, directories: 2 }, problems: ['log entry 2 damage: its CRC is 0x1'] },
  'd-wrong-seqnum': { fsck: 1, live: { files: 4, directories: 2 }, problems: ['log entry 6 damage: its sequence number is 7'] },
  'd-seqnum-ahead': {
    fsck: 1, live: b,
    problems: ['log entry 11 damage: its sequence number is 16', counters(12, 17)],
  },
  'd-next-index-past': { fsck: 1, live: b, problems: ['log entry 11 damage: the slot is empty, but the log should go on'] },
  'd-next-index-short': {
    fsck: 0, live: b,
    problems: ['log header note: next_index is 10; valid entries reach to 11', counters(10, 11)],
    unlike: 'the reference does not see entry 10; we read on past the counter',
  },
  'd-bad-header-crc': { fsck: 1, problems: ['log header: CRC is'], unlike: 'fsck of the reference ignores it on the raw device' },
  'd-bad-header-magic': { fsck: 1, problems: ['log header: magic is'], unlike: 'fsck of the reference ignores it on the raw device' },
  'd-bad-sb-crc': { fsck: 1, problems: ['superblock: CRC is'] },
  'd-sb-version-47': { fsck: 1, problems: ['superblock: version is 47; only 48 is supported'] },
  'd-sb-killed': { fsck: 1, problems: ['superblock: magic is 0x0, not 0x87b282ff'] },
  'd-overlap': {
    fsck: 1, live: b,
    problems: ['log entry 11 reject: its memory overlaps that of entry 2'],
    unlike: 'the reference serves both files over the same memory',
  },
  'e-edge': {
    fsck: 1, live: { files: 4, directories: 1 },
    problems: [
      'log entry 1 reject: the path is absolute',
      'log entry 2 reject: extent 0 (at 0) lies in the superblock or log',
      'log entry 3 reject: the path is empty',
      'log entry 4 reject: the path is absolute',
      'log entry 6 note: entry 5 has that path already',
      'log entry 7 reject: entry 0 has that path already',
      'log entry 8 reject: entry 5 has that path already',
      'log entry 9 reject: entry 0 has that path already',
      'log entry 10 reject: its directory does not exist',
      'log entry 11 reject: its directory does not exist',
      'log entry 12 note: type 2 means nothing here; ignored',
      'log entry 13 note: type 99 means nothing here; ignored',
      'log entry 16 reject: extent type 7 is unknown',
    ],
    unlike: 'the reference makes "noparent" a file, keeps "bad-ext-type" unreadable, and ignores the second map of "ok1"',
  },
  'e-dotdot': {
    fsck: 1, live: { files: 0, directories: 1 },
    problems: [
      'log entry 1 reject: the path has a component ".."',
      'log entry 2 reject: the path has a component ".."',
      'log entry 3 reject: the path has a component ".."',
    ],
    unlike: 'the reference creates two of them outside its own tree',
  },
  'e-max': { fsck: 0, live: { files: 5, directories: 1 }, problems: [] },
};
