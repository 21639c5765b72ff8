import { InvalidArgumentError } from 'commander';
import { parseBytes, scaleBytes } from '../csi/bytes.ts';

/** Bytes of a size as people write it: `64MiB`, `1Gi`, `8m`, or plain bytes. Units are powers of 1024. */
export function parseSize(text: string): number {
  const bytes = parseBytes(text);
  if (bytes === undefined) throw new InvalidArgumentError(`"${text}" is no size: write bytes, or 64MiB, 1Gi.`);
  return bytes;
}

/** A size for people, three digits and a unit: `1.50 GiB`. Events and errors have the shorter `formatBytes`. */
export function formatSize(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const { value, power } = scaleBytes(bytes);
  return `${Number.isInteger(value) ? value : value.toPrecision(3)} ${names[power]}`;
}

/** Permission bits in octal. */
export function parseMode(text: string): number {
  if (!/^[0-7]{1,4}$/.test(text)) throw new InvalidArgumentError(`"${text}" is no mode: write it in octal, like 0644.`);
  return parseInt(text, 8);
}

/** A user or group number. */
export function parseId(text: string): number {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(id < 0xffffffff)) throw new InvalidArgumentError(`"${text}" is no user or group number.`);
  return id;
}

/** The number of a claim. */
export function parseEpoch(text: string): number {
  const epoch = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(epoch < 2 ** 32)) throw new InvalidArgumentError(`"${text}" is no epoch: write a number below 4294967296.`);
  return epoch;
}
