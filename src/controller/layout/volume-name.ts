import { createHash } from 'node:crypto';
import { refuse } from '../../csi/errors.ts';

const MAX_NAME = 128;
const MAX_DIRECTORY = 48;
const PLAIN = /^[a-z0-9-][a-z0-9.-]*$/;
const HASH_DIGITS = 16;

/** Refuses what the CSI specification does not allow as a volume's name, naming the reason. */
export function checkVolumeName(name: string): void {
  if (name === '') throw refuse.invalid('name is required');
  const length = Buffer.byteLength(name);
  if (length > MAX_NAME) throw refuse.invalid(`name has ${length} bytes, ${MAX_NAME} are allowed: ${JSON.stringify(name.slice(0, 32))}…`);
  if (/\p{Cc}/u.test(name) || !name.isWellFormed()) throw refuse.invalid(`name ${JSON.stringify(name)} contains control characters`);
}

/**
 * The directory that holds a volume of this name: the name itself where it is short and plain,
 * else what can be read of it and a hash. The volume's record keeps the name as it was.
 */
export function directoryName(name: string): string {
  if (Buffer.byteLength(name) <= MAX_DIRECTORY && PLAIN.test(name)) return name;
  const readable = name.toLowerCase().replace(/[^a-z0-9]+/g, '-').slice(0, MAX_DIRECTORY - HASH_DIGITS - 1);
  const prefix = readable.replace(/^-+|-+$/g, '') || 'volume';
  return `${prefix}-${createHash('sha256').update(name).digest('hex').slice(0, HASH_DIGITS)}`;
}
