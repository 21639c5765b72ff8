import { isUtf8 } from 'node:buffer';
import { PATH_FIELD } from '../format/entry-layout.ts';
import { hashStep, SLASH } from '../index/index-store.ts';

/**
 * Judges the bytes of a path field and finds its last component, in one walk. One object is reused
 * for every entry of a replay, which allocates nothing.
 */
export class PathCheck {
  length = 0;
  /** Where the last component begins, and the hash of its bytes. */
  nameStart = 0;
  nameHash = 0;
  /** Why the path cannot be, or undefined. */
  problem: string | undefined = undefined;
  readonly #words: Uint32Array | undefined;

  /** `words`: the memory that will be checked, four bytes at a time, where it is aligned. */
  constructor(words?: Uint32Array) {
    this.#words = words;
  }

  /**
   * Judges the path in the field at `at`: answers why it cannot be, or undefined. The first `known` bytes, which end
   * with a slash or are none, were judged before.
   */
  check(bytes: Uint8Array, at: number, seed: number, known = 0): string | undefined {
    this.problem = this.#judge(bytes, at, seed, known);
    return this.problem;
  }

  #judge(bytes: Uint8Array, at: number, seed: number, known: number): string | undefined {
    const words = this.#words;
    const end = at + PATH_FIELD;
    let component = at + known;
    let hash = seed;
    let group = 0;
    let shift = 0;
    let wide = false;
    let k = component;
    while (k < end) {
      if (words !== undefined && shift === 0 && (k & 3) === 0) {
        for (let word = words[k >>> 2] | 0; isPlain(word) && k < end; word = words[k >>> 2] | 0) {
          hash = hashStep(hash, word);
          k += 4;
        }
        if (k === end) break;
      }
      const byte = bytes[k];
      if (byte === 0) break;
      if (byte < 0x20 || byte === 0x7f) return 'the path has a control character';
      if (byte === SLASH) {
        if (k === at) return 'the path is absolute';
        const bad = badComponent(bytes, component, k);
        if (bad !== undefined) return bad;
        component = ++k;
        hash = seed;
        group = shift = 0;
        continue;
      }
      if (byte >= 0x80) wide = true;
      group |= byte << shift;
      shift += 8;
      if (shift === 32) {
        hash = hashStep(hash, group);
        group = shift = 0;
      }
      k++;
    }
    this.length = k - at;
    this.nameStart = component - at;
    this.nameHash = shift === 0 ? hash : hashStep(hash, group);
    if (k === end) return 'the path has no end';
    if (k === at) return 'the path is empty';
    if (wide) {
      const bad = badText(bytes.subarray(at, k));
      if (bad !== undefined) return bad;
    }
    return badComponent(bytes, component, k);
  }
}

/** Whether none of four bytes is zero, a control character, a slash, DEL, or above ASCII. */
function isPlain(word: number): boolean {
  const slash = word ^ 0x2f2f2f2f;
  const del = word ^ 0x7f7f7f7f;
  const special = ((word - 0x20202020) & ~word) | word | ((slash - 0x01010101) & ~slash) | ((del - 0x01010101) & ~del);
  return (special & 0x80808080) === 0;
}

function badText(path: Uint8Array): string | undefined {
  if (!isUtf8(path)) return 'the path is not UTF-8';
  for (let j = 0; j + 1 < path.length; j++) {
    if (path[j] === 0xc2 && path[j + 1] < 0xa0) return 'the path has a control character';
  }
  return undefined;
}

function badComponent(bytes: Uint8Array, from: number, to: number): string | undefined {
  const length = to - from;
  if (length === 0) return 'the path has an empty component';
  if (bytes[from] === 0x2e && (length === 1 || (length === 2 && bytes[from + 1] === 0x2e))) {
    return `the path has a component "${length === 1 ? '.' : '..'}"`;
  }
  return undefined;
}
