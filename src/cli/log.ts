import { Command } from 'commander';
import { EntryLayout } from '../famfs/format/entry-layout.ts';
import { decodeBody, decodeEntry, entryIsValid, type LogEntry } from '../famfs/format/entry.ts';
import { entryOffset } from '../famfs/format/log-header.ts';
import { EntryType, originalType } from '../famfs/format/state-word.ts';
import { decodeVolumeRecord } from '../famfs/format/volume-record.ts';
import { readCounters } from '../famfs/log/geometry.ts';
import type { Pool } from '../famfs/pool/pool.ts';
import { printJson, printTable } from './output.ts';
import { withPool } from './reading.ts';

/** `famfs-csi log DEVICE` */
export function logCommand(): Command {
  return new Command('log')
    .argument('<device>', 'the pool')
    .option('--json', 'print JSON')
    .action((device: string, options: { json?: true }) => withPool(device, (pool) => {
      const { superblock, log } = pool.replayer.geometry;
      const entries = [...readEntries(pool)];
      if (options.json) return printJson({ superblock, counters: readCounters(log), entries: entries.map(forJson) });
      printTable(['INDEX', 'STATE', 'TYPE', 'SIZE', 'PATH'], entries.map(forPeople));
    }));
}

interface Listed {
  readonly index: number;
  readonly valid: boolean;
  readonly entry: LogEntry;
}

function* readEntries(pool: Pool): Generator<Listed> {
  const { log, capacity } = pool.replayer.geometry;
  const count = Math.min(capacity, Math.max(pool.replayer.end, readCounters(log).nextIndex));
  for (let index = 0; index < count; index++) {
    const at = entryOffset(index);
    const bytes = Buffer.from(log.bytes.subarray(at, at + EntryLayout.size));
    const entry = decodeEntry(bytes);
    yield { index, valid: entryIsValid(bytes, index), entry: { ...entry, body: decodeBody(bytes, originalType(entry.type, entry.padding)) } };
  }
}

function state({ entry, valid }: Listed): string {
  if (!valid) return 'BAD';
  if (entry.type === EntryType.Quarantined) return 'quarantined';
  return entry.type === EntryType.Void ? 'void' : 'live';
}

function forPeople(listed: Listed): (string | number)[] {
  const { body } = listed.entry;
  const path = body.kind === 'file' || body.kind === 'directory' ? body.path : '';
  const size = body.kind === 'file' ? body.size : '';
  return [listed.index, state(listed), body.kind === 'unknown' ? `type ${listed.entry.type}` : body.kind, size, path];
}

function forJson(listed: Listed): unknown {
  const { body, ...frame } = listed.entry;
  const common = { index: listed.index, state: state(listed), ...frame };
  if (body.kind === 'unknown') return { ...common, kind: body.kind };
  if (body.kind === 'daxdev') {
    const { index: deviceIndex, ...device } = body;
    return { ...common, ...device, deviceIndex };
  }
  if (body.kind !== 'directory') return { ...common, ...body };
  const { spare, ...directory } = body;
  const record = decodeVolumeRecord(spare);
  return { ...common, ...directory, ...(record === undefined ? {} : { record }) };
}
