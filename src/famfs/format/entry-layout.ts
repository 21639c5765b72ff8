/** Byte offsets inside a log entry (544 bytes), as documented in docs/format.md. */
export const EntryLayout = {
  size: 544,
  seqnum: 0,
  /** The state word: type and padding, one aligned 8-byte word. */
  type: 8,
  padding: 12,
  payload: 16,
  payloadLength: 520,
  /** The CRC covers bytes 0 to 535. */
  crc: 536,
} as const;

export const FileLayout = {
  size: 16,
  flags: 24,
  uid: 28,
  gid: 32,
  mode: 36,
  path: 40,
  extentType: 120,
  extentCount: 128,
  extents: 136,
  extentSize: 24,
  /** Inside an extent. */
  extent: { device: 0, offset: 8, length: 16 },
  stripCount: 136,
  chunkSize: 144,
  strips: 152,
} as const;

export const DirectoryLayout = { uid: 16, gid: 20, mode: 24, path: 28, spare: 108, spareLength: 428 } as const;

/** The path field: 79 bytes and the zero byte that ends them. */
export const PATH_FIELD = 80;
/** The longest path we write: what every version of the reference tools can handle. */
export const PATH_MAX = 78;
/**
 * At a pool's root: where the reference tools show superblock and log in their mounts. A file of that name, or a
 * directory where one of theirs is a file, makes the replay of their mount fail, and so the mount.
 */
export const REFERENCE_DIRECTORY = '.meta';
/** Simple extents of a file, and strips of an interleaved one. */
export const EXTENTS_MAX = 16;

export const ExtentType = { Simple: 0, Interleaved: 1 } as const;

/** What fm_flags always holds: all hosts may read and write. */
export const FILE_FLAGS = 2;
