import { PATH_FIELD } from '../format/entry-layout.ts';
import { SLASH } from './index-store.ts';

const WORDS = PATH_FIELD / 4;
const lowBytes = [0, 0xff, 0xffff, 0xffffff];

/**
 * The directory that was made last. A volume's files follow its directory in the log, so most
 * files are in it, and comparing a few words saves the walk through the tree.
 */
export class LastDirectory {
  node = 0;
  /** Bytes of its path. */
  length = 0;
  readonly #path = new Uint32Array(WORDS);

  /** `at` is the word where its path field begins. */
  remember(node: number, words: Uint32Array, at: number, length: number): void {
    this.node = node;
    this.length = length;
    const used = (length >>> 2) + 1;
    for (let k = 0; k < used; k++) this.#path[k] = words[at + k];
  }

  forget(node: number): void {
    if (this.node === node) this.node = 0;
  }

  /** Whether the path in the field at word `at` begins with this directory and a slash. */
  holds(words: Uint32Array, at: number, bytes: Uint8Array): boolean {
    if (this.node === 0 || bytes[at * 4 + this.length] !== SLASH) return false;
    const whole = this.length >>> 2;
    for (let k = 0; k < whole; k++) if (words[at + k] !== this.#path[k]) return false;
    const rest = lowBytes[this.length & 3];
    return ((words[at + whole] ^ this.#path[whole]) & rest) === 0;
  }
}
