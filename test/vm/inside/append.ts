/**
 * Runs on a guest that will be switched off: makes one volume after the other, and adds the name of
 * each to a file as soon as it is acknowledged.
 *
 *     node append.ts DEVICE IDENTITY NAMES [VOLUMES STORES]
 *
 * With the last two it stands still after so many volumes, before that store of the next ones, and
 * says `between two stores` in the file.
 */
import { openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDevice } from '../../../src/famfs/device/open.ts';
import { Pool } from '../../../src/famfs/pool/pool.ts';
import { PoolWriter, type WriterIdentity } from '../../../src/famfs/writer/writer.ts';
import { RecordingDevice } from '../../support/recording-device.ts';

const [path, identity, names, volumes = Infinity, stores = Infinity] = process.argv.slice(2);
const fd = openSync(names, 'a');
const watched = new RecordingDevice(openDevice(path).superblock.bytes.buffer as ArrayBuffer, path);
const writer = await PoolWriter.acquire(Pool.on(watched), { identity: JSON.parse(identity) as WriterIdentity });
const { hostId } = JSON.parse(identity) as WriterIdentity;
const size = writer.pool.allocationUnit;

for (let count = 0; ; count++) {
  if (count === Number(volumes)) standStillBefore(Number(stores));
  const name = `${hostId}-${writer.epoch}-${count}`;
  writer.create([
    { kind: 'directory', path: name, mode: 0o755, uid: 0, gid: 0 },
    { kind: 'file', path: `${name}/data`, size, mode: 0o644, uid: 0, gid: 0 },
  ]);
  writeSync(fd, `${name}\n`);
  await sleep(1); // the heartbeat's turn
}

function standStillBefore(store: number): void {
  let count = 0;
  watched.listener = {
    before: () => {
      if (++count < store) return;
      writeSync(fd, 'between two stores\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    },
  };
}
