import fs from 'node:fs';
import path from 'node:path';
import { mapShared, unmap, viewOf } from '../../device/libc.ts';
import { makePrivateFolder } from '../../private-folder.ts';
import { Counters, type CounterTotals } from './counters.ts';
import { allocateHostFile } from './host-file.ts';

/** The counters of a session, in a file beside its record. */
export function countersFile(hostDirectory: string, id: string): string {
  return path.join(hostDirectory, 'sessions', `${id}.counters`);
}

/** What another thread of the same process needs to use the counters. */
export interface CountersHandle {
  readonly address: bigint;
  readonly length: number;
}

/**
 * Maps the file of a session's counters, which a child that has died may have begun; makes it where
 * there is none of this layout. The host's service reads it, for sessions too that an earlier one started.
 * Throws FamfsError NO_SPACE.
 */
export function openCounters(file: string, workers: number): CountersHandle {
  const length = Counters.length(workers);
  const present = mapPresent(file, length);
  if (present !== undefined) {
    if (new Counters(viewOf(present, length)).continueWith(workers)) return { address: present, length };
    unmap(present, length);
  }
  makePrivateFolder(path.dirname(file));
  fs.rmSync(file, { force: true }); // never cut short what somebody may have mapped
  const fd = fs.openSync(file, 'wx+', 0o600);
  try {
    allocateHostFile(fd, length, file);
    const handle = { address: mapShared(fd, length, true, file), length };
    Counters.format(viewOf(handle.address, length), workers);
    return handle;
  } catch (error) {
    fs.rmSync(file);
    throw error;
  } finally {
    fs.closeSync(fd);
  }
}

function mapPresent(file: string, length: number): bigint | undefined {
  if (!fs.existsSync(file) || fs.statSync(file).size !== length) return undefined;
  const fd = fs.openSync(file, 'r+');
  try {
    return mapShared(fd, length, true, file);
  } finally {
    fs.closeSync(fd);
  }
}

/** The counters in any thread of the process that made them. */
export function attachCounters({ address, length }: CountersHandle): Counters {
  return new Counters(viewOf(address, length));
}

/** What a session counted so far; undefined where it has no counters, or those of another version. */
export function readTotals(file: string): CounterTotals | undefined {
  let fd: number;
  try {
    fd = fs.openSync(file, 'r');
  } catch {
    return undefined; // the session ends just now
  }
  try {
    const length = fs.fstatSync(fd).size;
    if (length < Counters.length(0)) return undefined;
    const address = mapShared(fd, length, false, file);
    try {
      return new Counters(viewOf(address, length)).total();
    } finally {
      unmap(address, length);
    }
  } finally {
    fs.closeSync(fd);
  }
}
