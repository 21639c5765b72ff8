import { isUtf8 } from 'node:buffer';
import { PATH_FIELD } from '../format/entry-layout.ts';
import { hashStep, SLASH } from './index-store.ts';

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

  /**
   * Judges the path in the field at `at`: answers why it cannot be, or undefined. The first `known` bytes, which end
   * with a slash or are none, were judged before.
   */
  check(bytes: Uint8Array, at: number, seed: number, known = 0): string | undefined {
    this.problem = this.#judge(bytes, at, seed, known);
    return this.problem;
  }

  #judge(bytes: Uint8Array, at: number, seed: number, known: number): string | undefined {
    const end = at + PATH_FIELD;
    let component = at + known;
    let hash = seed;
    let wide = false;
    let k = component;
    for (; k < end; k++) {
      const byte = bytes[k];
      if (byte === 0) break;
      if (byte < 0x20 || byte === 0x7f) return 'the path has a control character';
      if (byte === SLASH) {
        if (k === at) return 'the path is absolute';
        const bad = badComponent(bytes, component, k);
        if (bad !== undefined) return bad;
        component = k + 1;
        hash = seed;
        continue;
      }
      if (byte >= 0x80) wide = true;
      hash = hashStep(hash, byte);
    }
    this.length = k - at;
    this.nameStart = component - at;
    this.nameHash = hash;
    if (k === end) return 'the path has no end';
    if (k === at) return 'the path is empty';
    if (wide) {
      const bad = badText(bytes.subarray(at, k));
      if (bad !== undefined) return bad;
    }
    return badComponent(bytes, component, k);
  }
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
