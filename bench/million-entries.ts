/** Fills the log of an empty pool with volumes as the driver makes them, a directory and a file each: `million-entries.ts DEVICE LOG-LENGTH ENTRIES`. */
import { openDevice } from '../src/famfs/device/open.ts';
import { DirectoryLayout, ExtentType, FILE_FLAGS } from '../src/famfs/format/entry-layout.ts';
import { newEntry } from '../src/famfs/format/entry.ts';
import { entryOffset, LogHeader } from '../src/famfs/format/log-header.ts';
import { EntryType } from '../src/famfs/format/state-word.ts';
import { AU, volumeName } from './million.ts';

function fillLog(file: string, logLength: number, entries: number): void {
  const device = openDevice(file);
  const log = device.log(logLength);
  const owner = { uid: 0, gid: 0 };
  const spare = Buffer.alloc(DirectoryLayout.spareLength);
  for (let index = 0; index < entries; index += 2) {
    const path = volumeName(index / 2);
    const extents = [{ device: 0, offset: 2 ** 21 + logLength + (index / 2) * AU, length: AU }];
    log.store(entryOffset(index), newEntry(index, EntryType.Directory, { kind: 'directory', path, ...owner, mode: 0o755, spare }));
    log.store(entryOffset(index + 1), newEntry(index + 1, EntryType.File, {
      kind: 'file', path: `${path}/data`, size: AU, flags: FILE_FLAGS, ...owner, mode: 0o644,
      extentType: ExtentType.Simple, extentCount: 1, extents,
    }));
  }
  log.store64(LogHeader.nextSeqnumOffset, BigInt(entries));
  log.store64(LogHeader.nextIndexOffset, BigInt(entries));
  device.close();
}

const [file, logLength, entries] = process.argv.slice(2);
fillLog(file!, Number(logLength), Number(entries));
