/**
 * The one word of a log entry that changes: its type and padding (entry bytes 8 to 15), 8-byte
 * aligned and covered by the entry's CRC. CRC-32 is linear, so for every change of the type there
 * is one change of the padding that leaves the CRC valid; one 8-byte store does both, and no state
 * is ever torn. Tools that know no states skip the unknown types and see neither a file nor damage.
 */
export const EntryType = {
  File: 0,
  Directory: 1,
  Delete: 2,
  AddDaxdev: 3,
  Invalid: 4,
  /** A deleted file whose memory is not free yet. */
  Quarantined: 0x1001,
  /** Nothing: a deleted directory, a deleted file whose memory was given back, a guard. */
  Void: 0x1002,
} as const;

/** What to xor into a state word, padding in the upper half. */
const fileToQuarantined = 0xa49ac415_00001001n;
const fileToVoid = 0xb62f6bfb_00001002n;
const directoryToVoid = 0x0e930c9e_00001003n;

/** The words that a file and a directory go through; states only move forward. */
export const StateWord = {
  file: 0n,
  directory: 1n,
  quarantined: fileToQuarantined,
  voidFile: fileToVoid,
  voidDirectory: directoryToVoid ^ 1n,
} as const;

/** Whether a word is one that a deletion stores into an entry whose padding was zero. */
export function isDeadWord(word: bigint, directory: boolean): boolean {
  return directory ? word === StateWord.voidDirectory : word === StateWord.quarantined || word === StateWord.voidFile;
}

/** What an entry was before it was quarantined or voided, by its state word. */
export function originalType(type: number, padding: number): number {
  const word = (BigInt(padding >>> 0) << 32n) | BigInt(type >>> 0);
  if (word === StateWord.quarantined || word === StateWord.voidFile) return EntryType.File;
  if (word === StateWord.voidDirectory) return EntryType.Directory;
  return type;
}

/**
 * The word that follows when a file is quarantined or voided, or a directory voided.
 * Undefined when there is no such step: dead entries do not come back.
 */
export function nextWord(word: bigint, to: 'quarantined' | 'void'): bigint | undefined {
  const type = Number(word & 0xffffffffn);
  if (to === 'quarantined') return type === EntryType.File ? word ^ fileToQuarantined : undefined;
  if (type === EntryType.File) return word ^ fileToVoid;
  if (type === EntryType.Quarantined) return word ^ fileToQuarantined ^ fileToVoid;
  if (type === EntryType.Directory) return word ^ directoryToVoid;
  return undefined;
}
