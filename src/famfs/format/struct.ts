/**
 * Fixed binary layouts as tables of fields. All integers are little-endian. An 8-byte integer is
 * read as a Number: above 2^53 it loses its low bits, which is harmless here because every such
 * value is far outside what the format allows and is refused.
 */
export interface Field<T> {
  readonly offset: number;
  readonly size: number;
  read(bytes: Buffer, at: number): T;
  write(bytes: Buffer, at: number, value: T): void;
}

export const u8 = (offset: number): Field<number> => ({
  offset, size: 1, read: (bytes, at) => bytes[at], write: (bytes, at, value) => void (bytes[at] = value),
});

export const u16 = (offset: number): Field<number> => ({
  offset, size: 2, read: (bytes, at) => bytes.readUInt16LE(at), write: (bytes, at, value) => void bytes.writeUInt16LE(value, at),
});

export const u32 = (offset: number): Field<number> => ({
  offset, size: 4, read: (bytes, at) => bytes.readUInt32LE(at), write: (bytes, at, value) => void bytes.writeUInt32LE(value, at),
});

export const u64 = (offset: number): Field<number> => ({ offset, size: 8, read: readU64, write: writeU64 });

/** 16 bytes in text order, as libuuid stores them. */
export const uuid = (offset: number): Field<string> => ({ offset, size: 16, read: readUuid, write: writeUuid });

/** UTF-8 in a fixed field, ended by the first zero byte or the field's end; the rest is zero. */
export const text = (offset: number, size: number): Field<string> => ({
  offset,
  size,
  read: (bytes, at) => {
    const end = bytes.indexOf(0, at);
    return bytes.toString('utf8', at, end < 0 || end > at + size ? at + size : end);
  },
  write: (bytes, at, value) => {
    const encoded = Buffer.from(value, 'utf8');
    if (encoded.length > size) throw new RangeError(`"${value}" has ${encoded.length} bytes, the field holds ${size}`);
    bytes.fill(0, at, at + size);
    encoded.copy(bytes, at);
  },
});

type Fields = Record<string, Field<any>>; // eslint-disable-line @typescript-eslint/no-explicit-any
type Values<F extends Fields> = { -readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

export interface Struct<F extends Fields> {
  readonly fields: F;
  decode(bytes: Buffer, at?: number): Values<F>;
  encode(values: Values<F>, bytes: Buffer, at?: number): void;
}

/** A codec that reads and writes just the named fields and leaves all other bytes alone. */
export function struct<F extends Fields>(fields: F): Struct<F> {
  const table = Object.entries(fields) as [keyof F, Field<unknown>][];
  return {
    fields,
    decode: (bytes, at = 0) =>
      Object.fromEntries(table.map(([name, field]) => [name, field.read(bytes, at + field.offset)])) as Values<F>,
    encode: (values, bytes, at = 0) => {
      for (const [name, field] of table) field.write(bytes, at + field.offset, values[name]);
    },
  };
}

export function readU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 0x100000000;
}

export function writeU64(bytes: Buffer, at: number, value: number): void {
  bytes.writeBigUInt64LE(BigInt(value), at);
}

function readUuid(bytes: Buffer, at: number): string {
  const hex = bytes.toString('hex', at, at + 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function writeUuid(bytes: Buffer, at: number, value: string): void {
  if (!isUuid(value)) throw new RangeError(`"${value}" is not a UUID`);
  bytes.write(value.replaceAll('-', ''), at, 'hex');
}

export function isUuid(value: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
}
