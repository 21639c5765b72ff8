/** CRC-32 as zlib has it (reflected polynomial 0xEDB88320), one table look-up per byte. */
const table = Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  return sum >>> 0;
});

/** The CRC of bytes [from, to), going on from the CRC of what stands before them. */
export function crc(bytes: Uint8Array, from = 0, to = bytes.length, before = 0): number {
  let sum = ~before;
  for (let k = from; k < to; k++) sum = (sum >>> 8) ^ table[(sum ^ bytes[k]) & 0xff];
  return ~sum >>> 0;
}
