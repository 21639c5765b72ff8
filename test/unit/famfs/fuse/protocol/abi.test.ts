import assert from 'node:assert/strict';
import * as abi from '../../../../../src/famfs/fuse/protocol/abi.ts';

/** The C structs, field by field, as the kernel's header declares them; laid out by natural alignment. */
const structs: Record<string, string> = {
  InHeader: 'u32 len, u32 opcode, u64 unique, u64 nodeid, u32 -, u32 -, u32 pid, u16 totalExtlen, u16 -',
  OutHeader: 'u32 len, u32 error, u64 unique',
  InitIn: 'u32 major, u32 minor, u32 maxReadahead, u32 flags, u32 flags2, u32 -*11',
  InitOut: 'u32 major, u32 minor, u32 maxReadahead, u32 flags, u16 maxBackground, u16 congestionThreshold, ' +
    'u32 maxWrite, u32 timeGran, u16 maxPages, u16 mapAlignment, u32 flags2, u32 -, u16 requestTimeout, u16 -*11',
  Attr: 'u64 ino, u64 bytes, u64 blocks, u64 atime, u64 mtime, u64 ctime, u32 atimensec, u32 mtimensec, ' +
    'u32 ctimensec, u32 mode, u32 nlink, u32 uid, u32 gid, u32 rdev, u32 blksize, u32 flags',
  AttrOut: 'u64 attrValid, u32 attrValidNsec, u32 -, u64 attr, u64 -*10',
  EntryOut: 'u64 nodeid, u64 generation, u64 entryValid, u64 attrValid, u32 entryValidNsec, u32 attrValidNsec, ' +
    'u64 attr, u64 -*10',
  SetattrIn: 'u32 valid, u32 -, u64 fh, u64 bytes, u64 lockOwner, u64 atime, u64 mtime, u64 ctime, u32 atimensec, ' +
    'u32 mtimensec, u32 ctimensec, u32 mode, u32 -, u32 uid, u32 gid, u32 -',
  GetattrIn: 'u32 flags, u32 -, u64 fh',
  OpenIn: 'u32 flags, u32 openFlags',
  OpenOut: 'u64 fh, u32 openFlags, u32 backingId',
  ReadIn: 'u64 fh, u64 offset, u32 length, u32 readFlags, u64 lockOwner, u32 flags, u32 -',
  WriteIn: 'u64 fh, u64 offset, u32 length, u32 writeFlags, u64 lockOwner, u32 flags, u32 -',
  WriteOut: 'u32 length, u32 -',
  ReleaseIn: 'u64 fh, u32 flags, u32 releaseFlags, u64 lockOwner',
  FlushIn: 'u64 fh, u32 -, u32 -, u64 lockOwner',
  FsyncIn: 'u64 fh, u32 flags, u32 -',
  LseekIn: 'u64 fh, u64 offset, u32 whence, u32 -',
  LseekOut: 'u64 offset',
  GetxattrIn: 'u32 length, u32 -',
  GetxattrOut: 'u32 length, u32 -',
  StatfsOut: 'u64 blocks, u64 bfree, u64 bavail, u64 files, u64 ffree, u32 bsize, u32 namelen, u32 frsize, u32 -, u32 -*6',
  Dirent: 'u64 ino, u64 off, u32 namelen, u32 type',
  Direntplus: 'u64 entry, u64 -*15, u64 dirent, u64 -*2',
  NotifyInvalInodeOut: 'u64 ino, u64 off, u64 len',
};

function layOut(declaration: string): Record<string, number> {
  const offsets: Record<string, number> = {};
  let at = 0;
  for (const field of declaration.split(', ')) {
    const [, bits, name, count] = /^u(\d+) ([\w-]+?)(?:\*(\d+))?$/.exec(field)!;
    const width = Number(bits) / 8;
    at = Math.ceil(at / width) * width;
    if (name !== '-') offsets[name] = at;
    at += width * Number(count ?? 1);
  }
  return { size: Math.ceil(at / 8) * 8, ...offsets };
}

describe('FUSE structs', () => {
  for (const [name, declaration] of Object.entries(structs)) {
    it(`${name} lies where C puts it`, () => {
      const ours = (abi as unknown as Record<string, Record<string, number>>)[name];
      const expected = layOut(declaration);
      for (const [field, offset] of Object.entries(ours)) assert.equal(offset, expected[field], `${name}.${field}`);
    });
  }

  it('no struct is left unchecked', () => {
    const all = Object.entries(abi).filter(([, value]) => typeof value === 'object' && 'size' in value).map(([name]) => name);
    assert.deepEqual(all.sort(), Object.keys(structs).sort());
  });

  it('constants are frozen', () => {
    assert.ok(Object.isFrozen(abi.Opcode) && Object.isFrozen(abi.InHeader) && Object.isFrozen(abi.InitFlag));
  });
});
