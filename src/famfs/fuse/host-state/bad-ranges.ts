/** A part of a file that must not be touched, since two serving processes died of it. */
export interface BadRange {
  readonly node: number;
  /** Bytes. */
  readonly offset: number;
  readonly length: number;
}

/** Whether a part of a file, in bytes, meets one that must not be touched. */
export function isBad(bad: readonly BadRange[], node: number, offset: number, length: number): boolean {
  return bad.some((range) => range.node === node && offset < range.offset + range.length && range.offset < offset + length);
}
