/** The beginning of a text that has so many bytes in UTF-8 at most, and no part of a character at its end. */
export function cutToBytes(text: string, maxBytes: number): string {
  return Buffer.byteLength(text) <= maxBytes ? text : Buffer.from(text).subarray(0, maxBytes).toString('utf8').replace(/\uFFFD$/, '');
}
