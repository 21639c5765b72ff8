import assert from 'node:assert/strict';
import { EntryLayout } from '../../../../src/famfs/format/entry-layout.ts';
import { decodeEntry, encodeEntry, entryCrc, type LogEntry } from '../../../../src/famfs/format/entry.ts';
import { decodeFmap, encodeFmap } from '../../../../src/famfs/format/fmap.ts';
import { decodeLogHeader, encodeLogHeader, LogHeader, logHeaderProblem } from '../../../../src/famfs/format/log-header.ts';
import { decodeSuperblock, encodeSuperblock, superblockCrc } from '../../../../src/famfs/format/superblock.ts';
import { vector, vectorFile, vectorNames } from '../../../support/vectors.ts';

/* eslint-disable @typescript-eslint/no-explicit-any */

describe('golden vectors of the reference tools', () => {
  for (const name of vectorNames) {
    describe(name, () => {
      const { superblock, log, json } = vector(name);

      it('the superblock decodes to its JSON and encodes to the same bytes', () => {
        const decoded = decodeSuperblock(superblock);
        assert.deepEqual(asReference(decoded), json.superblock);
        assert.equal(decoded.crc === superblockCrc(superblock), json.superblock_crc_ok);
        assert.deepEqual(encodeSuperblock(decoded), superblock);
      });

      it('the log header decodes to its JSON and encodes to the same bytes', () => {
        const bytes = log.subarray(0, LogHeader.length);
        const decoded = decodeLogHeader(bytes);
        assert.deepEqual({
          magic: hex(decoded.magic), len: decoded.length, last_index: decoded.lastIndex,
          crc: hex(decoded.crc, 8), next_seqnum: decoded.nextSeqnum, next_index: decoded.nextIndex,
        }, json.log_header);
        assert.equal(logHeaderProblem(bytes) === undefined, json.log_header_crc_ok);
        assert.deepEqual(encodeLogHeader(decoded), bytes);
      });

      it('every entry decodes to its JSON and encodes to the same bytes', () => {
        json.entries.forEach((expected: any, index: number) => {
          const at = LogHeader.length + index * EntryLayout.size;
          const bytes = log.subarray(at, at + EntryLayout.size);
          const decoded = decodeEntry(bytes);
          assert.deepEqual(entryAsReference(decoded, bytes, index), expected);
          assert.deepEqual(encodeEntry(decoded), bytes);
        });
      });
    });
  }

  const maps = JSON.parse(vectorFile('fmap-decoded.json').toString()) as Record<string, any>;
  for (const [file, expected] of Object.entries(maps)) {
    it(`${file} decodes to its JSON and encodes to the same bytes`, () => {
      const bytes = vectorFile(file);
      const map = decodeFmap(bytes);
      const extents = (list: readonly any[]) =>
        list.map(({ device, offset, length }) => ({ devindex: device, reserved: 0, offset, len: length }));
      const { interleave } = map;
      assert.deepEqual({
        length: bytes.length,
        file_type: map.fileType, fmap_version: map.version, ext_type: interleave ? 1 : 0,
        nextents: interleave ? 1 : map.extents?.length, file_size: map.fileSize,
        ...(interleave
          ? { iext: { nstrips: interleave.strips.length, chunk_size: interleave.chunkSize, nbytes: map.fileSize, strips: extents(interleave.strips) } }
          : { extents: extents(map.extents ?? []) }),
      }, expected);
      assert.deepEqual(encodeFmap(map), bytes);
    });
  }
});

const hex = (value: number, digits = 0) => `0x${value.toString(16).padStart(digits, '0')}`;

function asReference(sb: ReturnType<typeof decodeSuperblock>): unknown {
  return {
    magic: hex(sb.magic), version: sb.version, log_offset: sb.logOffset, log_len: sb.logLength,
    alloc_unit: sb.allocationUnit, omf_major: sb.omfMajor, omf_minor: sb.omfMinor, uuid: sb.uuid,
    dev_uuid: sb.deviceUuid, system_uuid: sb.systemUuid, crc: hex(sb.crc, 8), sb_flags: sb.flags,
    daxdev: { size: sb.deviceSize, uuid: sb.daxdevUuid, name: sb.deviceName },
  };
}

function entryAsReference(entry: LogEntry, bytes: Buffer, index: number): unknown {
  const crcOk = entry.crc === entryCrc(bytes);
  const common = { index, seqnum: entry.seqnum, type: entry.type, crc: hex(entry.crc, 8), crc_ok: crcOk };
  const extents = (list: readonly any[]) => list.map(({ device, offset, length }) => ({ devindex: device, offset, len: length }));
  const { body } = entry;
  switch (body.kind) {
    case 'directory': {
      const { kind, path, uid, gid, mode } = body;
      return { ...common, kind: kind === 'directory' ? 'mkdir' : kind, path, uid, gid, mode: octal(mode) };
    }
    case 'daxdev':
      return { ...common, kind: 'add_daxdev', dd_index: body.index, dd_size: body.size, dd_uuid: body.uuid };
    case 'unknown':
      return { ...common, kind: entry.type === 2 ? 'delete' : 'unknown' };
    case 'file': {
      const { path, size, flags, uid, gid, mode, extentType, extentCount, interleave } = body;
      const map = extentType === 0
        ? { extents: extents(body.extents ?? []) }
        : extentType === 1 && interleave
          ? { interleaved: [{ nstrips: interleave.stripCount, chunk_size: interleave.chunkSize, strips: extents(interleave.strips) }] }
          : { extents: null };
      return { ...common, kind: 'file', path, size, flags, uid, gid, mode: octal(mode), ext_type: extentType, nextents: extentCount, ...map };
    }
  }
}

const octal = (mode: number) => `0${mode.toString(8)}`;
