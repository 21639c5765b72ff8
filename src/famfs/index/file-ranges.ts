import type { DaxDevice } from '../device/device.ts';
import type { FileMap } from './index-store.ts';

/**
 * Device memory of [offset, offset + length) of a file, in order. In an interleaved file chunk c lies
 * in strip c mod n, at stripe c div n.
 */
export function fileWindows(device: DaxDevice, { extents, at, count, chunkSize }: FileMap, offset: number, length: number): Uint8Array[] {
  const windows: Uint8Array[] = [];
  if (chunkSize > 0) {
    while (length > 0 && count > 0) {
      const chunk = Math.floor(offset / chunkSize);
      const inChunk = offset % chunkSize;
      const run = Math.min(length, chunkSize - inChunk);
      const strip = extents[at + 2 * (chunk % count)];
      windows.push(device.extent(strip + Math.floor(chunk / count) * chunkSize + inChunk, run));
      offset += run;
      length -= run;
    }
    return windows;
  }
  let start = 0;
  for (let k = 0; k < count && length > 0; k++) {
    const size = extents[at + 2 * k + 1];
    if (offset < start + size) {
      const inExtent = offset - start;
      const run = Math.min(length, size - inExtent);
      windows.push(device.extent(extents[at + 2 * k] + inExtent, run));
      offset += run;
      length -= run;
    }
    start += size;
  }
  return windows;
}
