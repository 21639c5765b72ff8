import { type Address, dataParts, isReadable, isZeroMemory, isZeroMemoryAside } from './libc.ts';

/** What a look at a range of memory found. */
export interface ZeroCheck {
  /** All of it is zero. False as well where some of it cannot be read at this moment. */
  readonly isZero: boolean;
  /** Bytes that had to be read: a hole of a simulated device is zero without. */
  readonly readBytes: number;
}

/** A mapping, and the open file behind it where its holes tell what is zero. */
export interface CheckedMapping {
  readonly address: Address;
  readonly fd: number | undefined;
}

/** Whether a range is zero. Asked without the signal that ends who reads memory that fails. */
export function checkZero({ address, fd }: CheckedMapping, offset: number, length: number): ZeroCheck {
  let readBytes = 0;
  for (const part of parts(fd, offset, length)) {
    readBytes += part.length;
    if (!isReadable(address, part.offset, part.length) || !isZeroMemory(address + BigInt(part.offset), part.length)) return { isZero: false, readBytes };
  }
  return { isZero: true, readBytes };
}

/** The same in another thread. The memory has to stay mapped until then. */
export async function checkZeroAside({ address, fd }: CheckedMapping, offset: number, length: number): Promise<ZeroCheck> {
  let readBytes = 0;
  for (const part of parts(fd, offset, length)) {
    readBytes += part.length;
    if (!isReadable(address, part.offset, part.length) || !await isZeroMemoryAside(address + BigInt(part.offset), part.length)) return { isZero: false, readBytes };
  }
  return { isZero: true, readBytes };
}

function parts(fd: number | undefined, offset: number, length: number): Iterable<{ readonly offset: number; readonly length: number }> {
  return fd === undefined ? [{ offset, length }] : dataParts(fd, offset, length);
}
