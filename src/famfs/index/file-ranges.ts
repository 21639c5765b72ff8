import type { Run } from '../alloc/free-runs.ts';
import type { FileMap } from './index-store.ts';

/**
 * The memory of bytes [offset, offset + length) of a file, in order. In an interleaved file chunk c lies
 * in strip c mod n, at stripe c div n.
 */
export function fileRanges({ extents, at, count, chunkSize }: FileMap, offset: number, length: number): Run[] {
  const ranges: Run[] = [];
  if (chunkSize > 0) {
    while (length > 0 && count > 0) {
      const chunk = Math.floor(offset / chunkSize);
      const inChunk = offset % chunkSize;
      const run = Math.min(length, chunkSize - inChunk);
      const start = extents[at + 2 * (chunk % count)] + Math.floor(chunk / count) * chunkSize + inChunk;
      ranges.push({ start, end: start + run });
      offset += run;
      length -= run;
    }
    return ranges;
  }
  let before = 0;
  for (let k = 0; k < count && length > 0; k++) {
    const size = extents[at + 2 * k + 1];
    if (offset < before + size) {
      const start = extents[at + 2 * k] + offset - before;
      const run = Math.min(length, before + size - offset);
      ranges.push({ start, end: start + run });
      offset += run;
      length -= run;
    }
    before += size;
  }
  return ranges;
}
