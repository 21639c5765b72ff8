import assert from 'node:assert/strict';
import { Override, OverrideField } from '../../../../../src/famfs/fuse/host-state/overrides.ts';
import { Opcode, SetattrValid } from '../../../../../src/famfs/fuse/protocol/abi.ts';
import { Errno } from '../../../../../src/famfs/fuse/protocol/errno.ts';
import { Bench, words } from './support.ts';

function bench(): Bench {
  const made = new Bench();
  made.index.nodes.set(2, { parent: 1, name: 'vol', mode: 0o755 });
  made.index.nodes.set(3, { parent: 2, name: 'data', memory: Buffer.from('0123456789'), mode: 0o644, uid: 5, gid: 6 });
  return made;
}

const lookup = (b: Bench, parent: number, name: string) => b.send(Opcode.Lookup, parent, Buffer.from(`${name}\0`))!;
const getattr = (b: Bench, node: number) => b.send(Opcode.Getattr, node, words(0, 0, 0n))!;
const read = (b: Bench, node: number, offset: bigint, length: number) =>
  b.send(Opcode.Read, node, words(0n, offset, length, 0, 0n, 0, 0))!;
const write = (b: Bench, node: number, offset: bigint, data: string, flags = 0) =>
  b.send(Opcode.Write, node, Buffer.concat([words(0n, offset, data.length, flags, 0n, 0, 0), Buffer.from(data)]))!;
const lseek = (b: Bench, offset: bigint, whence: number) => b.send(Opcode.Lseek, 3, words(0n, offset, whence, 0))!;

interface Change {
  valid: number;
  size?: bigint;
  mode?: number;
  uid?: number;
  gid?: number;
  atime?: bigint;
  mtime?: bigint;
}

const setattr = (b: Bench, node: number, c: Change) => b.send(Opcode.Setattr, node, words(
  c.valid, 0, 0n, c.size ?? 0n, 0n, c.atime ?? 0n, c.mtime ?? 0n, 0n, 11, 22, 33,
  c.mode ?? 0, 0, c.uid ?? 0, c.gid ?? 0, 0))!;

/** Mode, uid and gid of a `struct fuse_attr_out`. */
const owner = ({ body }: { body: Buffer }) => [60, 68, 72].map((offset) => body.readUInt32LE(16 + offset));

describe('LOOKUP', () => {
  it('finds what another host made a moment ago', () => {
    const b = bench();
    b.index.pending.push([7, { parent: 1, name: 'new' }]);
    assert.equal(lookup(b, 1, 'new').body.readUInt32LE(0), 7);
    assert.equal(b.index.catchUps, 1);
  });

  it('answers a hit from the index as it is', () => {
    const b = bench();
    b.index.pending.push([7, { parent: 1, name: 'new' }]);
    assert.equal(lookup(b, 1, 'vol').body.readUInt32LE(0), 2);
    assert.equal(b.index.catchUps, 0);
  });

  it('answers a miss as an error, so that nothing is cached', () => {
    const reply = lookup(bench(), 1, 'nothing');
    assert.equal(reply.errno, Errno.ENOENT);
    assert.equal(reply.body.length, 0);
  });

  it('in a removed directory is ESTALE', () => {
    const b = bench();
    b.index.nodes.get(2)!.dead = true;
    assert.equal(lookup(b, 2, 'data').errno, Errno.ESTALE);
  });
});

describe('a removed file', () => {
  const calls: [string, (b: Bench) => { errno: number }][] = [
    ['GETATTR', (b) => getattr(b, 3)],
    ['SETATTR', (b) => setattr(b, 3, { valid: SetattrValid.Mode, mode: 0o600 })],
    ['OPEN', (b) => b.send(Opcode.Open, 3, words(0, 0))!],
    ['READ', (b) => read(b, 3, 0n, 4)],
    ['WRITE', (b) => write(b, 3, 0n, 'xx')],
    ['LSEEK', (b) => lseek(b, 0n, 3)],
    ['FSYNC', (b) => b.send(Opcode.Fsync, 3, words(0n, 0, 0))!],
    ['GETXATTR', (b) => b.send(Opcode.Getxattr, 3, Buffer.concat([words(0, 0), Buffer.from('user.famfs.pool\0')]))!],
    ['LISTXATTR', (b) => b.send(Opcode.Listxattr, 3, words(0, 0))!],
  ];
  for (const [name, call] of calls) {
    it(`answers ${name} with ESTALE`, () => {
      const b = bench();
      b.index.nodes.get(3)!.dead = true;
      assert.equal(call(b).errno, Errno.ESTALE);
      assert.equal(b.index.nodes.get(3)!.memory!.toString(), '0123456789', 'its memory is not touched');
      assert.equal(b.overrides.table.size, 0);
    });
  }
});

describe('OPEN, READ, WRITE, LSEEK', () => {
  it('OPEN asks for direct I/O with parallel writes', () => {
    assert.equal(bench().send(Opcode.Open, 3, words(2, 0))!.body.readUInt32LE(8), 0x41);
  });

  it('READ gives the bytes, clipped to the size', () => {
    const b = bench();
    assert.equal(read(b, 3, 2n, 5).body.toString(), '23456');
    assert.equal(read(b, 3, 8n, 100).body.toString(), '89');
    assert.equal(read(b, 3, 10n, 1).body.length, 0);
    assert.equal(read(b, 3, 0xffff_ffff_ffffn, 1).body.length, 0);
    assert.equal(read(b, 3, 2n, 5).bytes.readUInt32LE(0), 21);
  });

  it('WRITE puts the bytes in place', () => {
    const b = bench();
    assert.equal(write(b, 3, 3n, 'abcde').body.readUInt32LE(0), 5);
    assert.equal(b.index.nodes.get(3)!.memory!.toString(), '012abcde89');
  });

  it('WRITE across the end is short; at the end and past it there is no space', () => {
    const b = bench();
    assert.equal(write(b, 3, 8n, 'abcde').body.readUInt32LE(0), 2);
    assert.equal(write(b, 3, 10n, 'a').errno, Errno.ENOSPC);
    assert.equal(write(b, 3, 1n << 62n, 'a').errno, Errno.ENOSPC);
    assert.equal(write(b, 3, 10n, '').body.readUInt32LE(0), 0);
  });

  it('WRITE by somebody without privilege clears the set-id bits', () => {
    const b = bench();
    b.index.nodes.get(3)!.mode = 0o6755;
    write(b, 3, 0n, 'a');
    assert.equal(owner(getattr(b, 3))[0], 0o106755);
    write(b, 3, 0n, 'a', 1 << 2);
    assert.equal(owner(getattr(b, 3))[0], 0o100755);
  });

  it('WRITE fails and writes nothing where the set-id bits have to go and the host cannot remember that', () => {
    const b = bench();
    b.index.nodes.get(3)!.mode = 0o6755;
    b.overrides.full = true;
    assert.equal(write(b, 3, 0n, 'a', 1 << 2).errno, Errno.ENOSPC);
    assert.equal(b.index.nodes.get(3)!.memory!.toString(), '0123456789');
    assert.equal(owner(getattr(b, 3))[0], 0o106755);
    assert.equal(write(b, 3, 0n, 'a').errno, 0, 'who may set them writes on');
  });

  it('LSEEK knows no holes', () => {
    const b = bench();
    assert.equal(lseek(b, 4n, 3).body.readUInt32LE(0), 4);
    assert.equal(lseek(b, 4n, 4).body.readUInt32LE(0), 10);
    assert.equal(lseek(b, 10n, 3).errno, Errno.ENXIO);
    assert.equal(lseek(b, 10n, 4).errno, Errno.ENXIO);
    assert.equal(lseek(b, 0n, 9).errno, Errno.EINVAL);
  });
});

describe('SETATTR', () => {
  it('refuses another size with EINVAL and changes nothing', () => {
    const b = bench();
    for (const size of [0n, 9n, 11n]) {
      assert.equal(setattr(b, 3, { valid: SetattrValid.Size | SetattrValid.Mode, size, mode: 0 }).errno, Errno.EINVAL);
    }
    assert.equal(b.overrides.table.size, 0);
    assert.equal(setattr(b, 3, { valid: SetattrValid.Size, size: 10n }).errno, 0);
    assert.equal(setattr(b, 2, { valid: SetattrValid.Size, size: 0n }).errno, Errno.EISDIR);
  });

  it('keeps mode, owner and times on this host', () => {
    const b = bench();
    setattr(b, 3, { valid: SetattrValid.Mode, mode: 0o100600 });
    setattr(b, 3, { valid: SetattrValid.Uid | SetattrValid.Gid, uid: 100, gid: 200 });
    const reply = setattr(b, 3, { valid: SetattrValid.Atime | SetattrValid.Mtime, atime: -5n, mtime: 6n });
    assert.deepEqual(owner(reply), [0o100600, 100, 200]);
    assert.deepEqual(reply.body, getattr(b, 3).body);
    assert.equal(reply.body.readBigInt64LE(16 + 24), -5n);
    assert.equal(reply.body.readBigInt64LE(16 + 32), 6n);
    assert.deepEqual([reply.body.readUInt32LE(16 + 48), reply.body.readUInt32LE(16 + 52)], [11, 22]);
    assert.ok(reply.body.readBigInt64LE(16 + 40) > 1_700_000_000n, 'the change time is now');
  });

  it('clears the set-id bits of a file whose owner changes, and those of no directory', () => {
    const b = bench();
    b.index.nodes.get(3)!.mode = 0o6711;
    b.index.nodes.get(2)!.mode = 0o2775;
    assert.equal(owner(setattr(b, 3, { valid: SetattrValid.Uid, uid: 1 }))[0], 0o100711);
    assert.equal(owner(setattr(b, 2, { valid: SetattrValid.Uid, uid: 1 }))[0], 0o042775);
    b.index.nodes.get(3)!.mode = 0o2640;
    b.overrides.table.clear();
    assert.equal(owner(setattr(b, 3, { valid: SetattrValid.KillSuidgid }))[0], 0o102640, 'setgid without group execution stays');
  });

  it('counts for the directory at the root that a file is in', () => {
    const b = bench();
    b.index.nodes.set(20, { parent: 2, name: 'deep' }).set(21, { parent: 20, name: 'file', memory: Buffer.alloc(1) });
    const volumes = [2, 3, 21].map((node) => {
      setattr(b, node, { valid: SetattrValid.Mode, mode: 0o600 });
      return b.overrides.volume;
    });
    assert.deepEqual(volumes, [2, 2, 2]);
  });

  it('says when the host cannot remember more', () => {
    const b = bench();
    b.overrides.full = true;
    assert.equal(setattr(b, 3, { valid: SetattrValid.Mode, mode: 0 }).errno, Errno.ENOSPC);
  });
});

describe('mount groups', () => {
  it('show below their directory, and win over what else is set', () => {
    const b = bench();
    const group = new Override();
    group.fields = OverrideField.group;
    group.group = 2000;
    b.overrides.table.set(2, group);
    setattr(b, 3, { valid: SetattrValid.Mode | SetattrValid.Gid, mode: 0o600, gid: 9 });
    assert.deepEqual(owner(getattr(b, 3)), [0o100660, 5, 2000]);
    assert.deepEqual(owner(getattr(b, 2)), [0o042775, 0, 2000]);
    assert.deepEqual(owner(getattr(b, 1)), [0o040755, 0, 0]);
  });

  it('are none of other directories', () => {
    const b = bench();
    b.index.nodes.set(4, { parent: 1, name: 'neighbour', mode: 0o755 });
    const group = new Override();
    group.fields = OverrideField.group;
    group.group = 2000;
    b.overrides.table.set(2, group);
    assert.equal(lookup(b, 1, 'neighbour').errno, 0);
    assert.deepEqual(owner(getattr(b, 4)), [0o040755, 0, 0]);
  });
});

describe('READDIR', () => {
  const list = (b: Bench, node: number, cookie: number, room: number, plus = false) =>
    b.send(plus ? Opcode.Readdirplus : Opcode.Readdir, node, words(0n, BigInt(cookie), room, 0, 0n, 0, 0))!;

  function entries(body: Buffer, plus = false): { name: string; ino: number; off: number; type: number; nodeid: number }[] {
    const found = [];
    for (let at = 0; at < body.length;) {
      const dirent = plus ? at + 128 : at;
      const length = body.readUInt32LE(dirent + 16);
      found.push({
        name: body.toString('utf8', dirent + 24, dirent + 24 + length),
        ino: Number(body.readBigUInt64LE(dirent)),
        off: Number(body.readBigUInt64LE(dirent + 8)),
        type: body.readUInt32LE(dirent + 20),
        nodeid: plus ? Number(body.readBigUInt64LE(at)) : -1,
      });
      at = (dirent + 24 + length + 7) & ~7;
    }
    return found;
  }

  function full(): Bench {
    const b = bench();
    for (let id = 10; id < 30; id++) b.index.nodes.set(id, { parent: 2, name: `f${id}`, memory: Buffer.alloc(1), dead: id % 5 === 0 });
    return b;
  }

  for (const plus of [false, true]) {
    const name = plus ? 'READDIRPLUS' : 'READDIR';
    it(`${name} gives every live name once, however small the pieces`, () => {
      const b = full();
      const whole = entries(list(b, 2, 0, 65536, plus).body, plus);
      assert.deepEqual(whole.slice(0, 3).map((e) => e.name), ['.', '..', 'data']);
      assert.equal(whole.length, 2 + 1 + 16);
      const pieces = [];
      for (let cookie = 0; ;) {
        const piece = entries(list(b, 2, cookie, plus ? 200 : 48, plus).body, plus);
        if (piece.length === 0) break;
        pieces.push(...piece);
        cookie = piece.at(-1)!.off;
      }
      assert.deepEqual(pieces, whole);
    });
  }

  it('gives types and ids', () => {
    const root = entries(list(full(), 1, 0, 4096).body);
    assert.deepEqual(root.map(({ name, ino, type }) => [name, ino, type]), [['.', 1, 4], ['..', 1, 4], ['vol', 2, 4]]);
    const vol = entries(list(full(), 2, 0, 4096, true).body, true);
    assert.deepEqual(vol.slice(0, 3).map(({ name, nodeid }) => [name, nodeid]), [['.', 0], ['..', 0], ['data', 3]]);
  });

  it('goes on behind a name that was removed meanwhile', () => {
    const b = full();
    b.index.nodes.get(11)!.dead = true;
    assert.equal(entries(list(b, 2, 12, 48).body)[0].name, 'f12');
  });

  it('OPENDIR first makes the index current', () => {
    const b = bench();
    b.index.pending.push([7, { parent: 1, name: 'new' }]);
    assert.equal(b.send(Opcode.Opendir, 1, words(0, 0))!.errno, 0);
    assert.deepEqual(entries(list(b, 1, 2, 4096).body).map((e) => e.name), ['vol', 'new']);
  });
});

describe('STATFS', () => {
  it('gives the pool\'s numbers; what is quarantined is not free', () => {
    const { body } = bench().send(Opcode.Statfs, 1)!;
    const u64 = (at: number) => Number(body.readBigUInt64LE(at));
    assert.deepEqual([0, 8, 16, 24, 32].map(u64), [0x40000, 0x3f600, 0x3f600, 15420, 15400]);
    assert.deepEqual([40, 44, 48].map((at) => body.readUInt32LE(at)), [4096, 79, 4096]);
  });
});

describe('extended attributes', () => {
  const get = (b: Bench, node: number, name: string, room: number) =>
    b.send(Opcode.Getxattr, node, Buffer.concat([words(room, 0), Buffer.from(`${name}\0`)]))!;

  it('tell the pool and the extents, on files and directories', () => {
    const b = bench();
    assert.equal(get(b, 3, 'user.famfs.pool', 100).body.toString(), '00112233-4455-4677-8899-aabbccddeeff');
    assert.deepEqual(JSON.parse(get(b, 3, 'user.famfs.extents', 1000).body.toString()),
      { extents: [{ offset: 0xa00000, length: 0x200000 }] });
    assert.deepEqual(JSON.parse(get(b, 2, 'user.famfs.extents', 1000).body.toString()), { extents: [] });
  });

  it('are measured first, and then asked for', () => {
    const b = bench();
    assert.equal(get(b, 3, 'user.famfs.pool', 0).body.readUInt32LE(0), 36);
    assert.equal(get(b, 3, 'user.famfs.pool', 35).errno, Errno.ERANGE);
    assert.equal(b.send(Opcode.Listxattr, 3, words(100, 0))!.body.toString(), 'user.famfs.pool\0user.famfs.extents\0');
  });

  it('are no others', () => {
    for (const name of ['user.x', 'security.capability', 'toString', '']) {
      assert.equal(get(bench(), 3, name, 100).errno, Errno.ENODATA, name);
    }
  });
});
