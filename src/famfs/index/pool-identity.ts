import type { Region } from '../device/region.ts';
import { ClaimLayout } from '../format/claim-record.ts';
import { superblockStruct } from '../format/superblock.ts';

const UUID = superblockStruct.fields.uuid.offset;
/** Where its words stand in the superblock region: the file system's UUID, then the log life. */
const WORDS = [UUID, UUID + 4, UUID + 8, UUID + 12, ClaimLayout.logLife, ClaimLayout.logLife + 4] as const;
const UUID_WORDS = 4;

/**
 * Which pool it is, and which life of its log: the UUID of its superblock, and the *log life* beside the change
 * word. A pool may be formatted anew while hosts have it mounted. What a host keeps in mind of the pool (log
 * indices, extents, an open file) then means something else, so everybody who goes on with it compares first.
 *
 * Words are compared one by one: any mixture of an old and a new identity is different from the old one.
 * Who has found no log life, in a pool of an earlier version, knows it by its UUID alone: `adopt` may give it one.
 */
export class PoolIdentity {
  /** The six words, as they were when this was made. Can be structured-cloned. */
  readonly words: readonly number[];
  readonly #superblock: Region;
  /** How many of them are compared. */
  readonly #count: number;

  /** Reads them, or takes those that another thread has read. */
  constructor(superblock: Region, words: readonly number[] = WORDS.map((offset) => superblock.load32(offset))) {
    this.#superblock = superblock;
    this.words = words;
    this.#count = logLifeText(words) === '' ? UUID_WORDS : WORDS.length;
  }

  /** Whether memory still says the same. Asked with each request of the kernel: it allocates nothing. */
  isUnchanged(): boolean {
    for (let k = 0; k < this.#count; k++) if (this.#superblock.load32(WORDS[k]) !== this.words[k]) return false;
    return true;
  }

  /** The log life as 16 hexadecimal digits, or nothing where there is none. */
  get logLife(): string {
    return logLifeText(this.words);
  }
}

/** The log life among the words of an identity: see PoolIdentity.logLife. */
export function logLifeText(words: readonly number[]): string {
  const [low, high] = words.slice(UUID_WORDS);
  const hex = (word: number) => word.toString(16).padStart(8, '0');
  return low === 0 && high === 0 ? '' : hex(high) + hex(low);
}
