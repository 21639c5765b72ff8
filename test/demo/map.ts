/** A pool's memory as a picture, read from the device itself: one sign for each allocation unit. */
import { closeSync, openSync, readSync } from 'node:fs';
import { EntryLayout } from '../../src/famfs/format/entry-layout.ts';
import { decodeBody, decodeEntry } from '../../src/famfs/format/entry.ts';
import { decodeLogHeader, LogHeader } from '../../src/famfs/format/log-header.ts';
import { EntryType, originalType } from '../../src/famfs/format/state-word.ts';
import { decodeSuperblock, Superblock } from '../../src/famfs/format/superblock.ts';

const perLine = 64;

/** Draws the map, with a legend of the signs that occur. */
export function drawMap(device: string): string {
  const fd = openSync(device, 'r');
  try {
    const units = readUnits(fd);
    const lines: string[] = [];
    for (let at = 0; at < units.length; at += perLine) lines.push(units.slice(at, at + perLine).join(''));
    const legend = signs.filter(({ sign }) => units.includes(sign));
    lines.push(legend.map(({ sign, meaning }) => `${sign} ${meaning}`).join('   '));
    return lines.join('\n');
  } finally {
    closeSync(fd);
  }
}

const signs = [
  { sign: 'S', meaning: 'superblock' },
  { sign: 'L', meaning: 'log' },
  { sign: '#', meaning: 'a file' },
  { sign: 'q', meaning: 'quarantined' },
  { sign: '.', meaning: 'free' },
] as const;

function readUnits(fd: number): string[] {
  const { deviceSize, allocationUnit, logOffset, logLength } = decodeSuperblock(read(fd, 0, Superblock.length));
  const units = new Array<string>(Math.floor(deviceSize / allocationUnit)).fill('.');
  const mark = (sign: string, offset: number, length: number): void => {
    const end = Math.ceil((offset + length) / allocationUnit);
    units.fill(sign, Math.floor(offset / allocationUnit), end);
  };
  mark('S', 0, logOffset);
  mark('L', logOffset, logLength);
  const { nextIndex } = decodeLogHeader(read(fd, logOffset, LogHeader.length));
  for (let index = 0; index < nextIndex; index++) {
    const bytes = read(fd, logOffset + LogHeader.length + index * EntryLayout.size, EntryLayout.size);
    const { type, padding } = decodeEntry(bytes);
    const body = decodeBody(bytes, originalType(type, padding));
    if (body.kind !== 'file') continue;
    // Every volume of the demo is one piece of memory, so simple extents are all there is.
    const sign = type === EntryType.File ? '#' : 'q';
    for (const { offset, length } of body.extents ?? []) mark(sign, offset, length);
  }
  return units;
}

function read(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  readSync(fd, bytes, 0, length, offset);
  return bytes;
}
