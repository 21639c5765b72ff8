import fs from 'node:fs';
import { randomUUID } from 'node:crypto';
import { openDevice } from '../../src/famfs/device/open.ts';
import { newEntry } from '../../src/famfs/format/entry.ts';
import { emptyLogHeader } from '../../src/famfs/format/log-header.ts';
import { encodeSuperblock, superblockCrc, Superblock } from '../../src/famfs/format/superblock.ts';
import { ClaimLayout } from '../../src/famfs/format/claim-record.ts';
import { StateWord } from '../../src/famfs/format/state-word.ts';

export class PoolFixture {
  device; log; index = 0; next = 0x200000 + 0x800000; entries = new Map<string, {index:number, file:boolean}>();
  uuid = randomUUID();
  constructor(path: string, size: number) {
    fs.writeFileSync(path, ''); fs.truncateSync(path, size);
    this.device = openDevice(path);
    const sb: any = { magic: Superblock.magic, version: 48, logOffset: 0x200000, logLength: 0x800000, allocationUnit: 0x200000, omfMajor: 2, omfMinor: 2, uuid: this.uuid, deviceUuid: randomUUID(), systemUuid: randomUUID(), crc: 0, flags: 0, deviceSize: size, daxdevUuid: '00000000-0000-0000-0000-000000000000', deviceName: path };
    sb.crc = superblockCrc(encodeSuperblock(sb));
    this.device.superblock.store(0, encodeSuperblock(sb));
    this.log = this.device.log(0x800000);
    this.log.store(0, emptyLogHeader(0x800000));
  }
  #append(path: string, type: number, body: any) {
    this.log.store(48 + 544 * this.index, newEntry(this.index, type, body));
    this.entries.set(path, { index: this.index, file: type === 0 });
    this.index++;
    this.log.store64(32, BigInt(this.index)); this.log.store64(40, BigInt(this.index));
  }
  directory(path: string, mode = 0o755, uid = 0, gid = 0) { this.#append(path, 1, { kind: 'directory', path, uid, gid, mode, spare: Buffer.alloc(428) }); }
  file(path: string, size: number, mode = 0o644, uid = 0, gid = 0) {
    const length = Math.ceil(size / 0x200000) * 0x200000;
    this.#append(path, 0, { kind: 'file', path, size, flags: 2, uid, gid, mode, extentType: 0, extentCount: 1, extents: [{ device: 0, offset: this.next, length }] });
    this.next += length;
  }
  remove(path: string) {
    const { index, file } = this.entries.get(path)!;
    this.log.store64(48 + 544 * index + 8, file ? StateWord.quarantined : StateWord.voidDirectory);
    this.device.superblock.store64(ClaimLayout.changeWord, this.device.superblock.load64(ClaimLayout.changeWord) + 1n);
  }
  close() { this.device.close(); }
}
