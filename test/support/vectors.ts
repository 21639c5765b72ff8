import fs from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';

const folder = path.join(import.meta.dirname, '../vectors');

/** A golden vector: bytes that the reference tools wrote, and what they mean. See vectors/README.md. */
export interface Vector {
  readonly name: string;
  readonly superblock: Buffer;
  /** Header and stored entries. */
  readonly log: Buffer;
  // The reference's own words for the same fields; their shape is checked by the tests that use them.
  readonly json: any; // eslint-disable-line @typescript-eslint/no-explicit-any
}

export const vectorNames: readonly string[] = fs.readdirSync(folder)
  .filter((file) => file.endsWith('.sb.bin'))
  .map((file) => file.slice(0, -'.sb.bin'.length));

export function vector(name: string): Vector {
  const json = JSON.parse(read(`${name}.json`).toString('utf8'));
  return { name, superblock: read(`${name}.sb.bin`), log: read(`${name}.log.bin`), json };
}

export function vectorFile(name: string): Buffer {
  return read(name);
}

function read(file: string): Buffer {
  const plain = path.join(folder, file);
  return fs.existsSync(plain) ? fs.readFileSync(plain) : gunzipSync(fs.readFileSync(`${plain}.gz`));
}
