import assert from 'node:assert/strict';
import fc from 'fast-check';
import { checkBuffers, operations, table } from '../../../../../src/famfs/fuse/operations/dispatch.ts';
import { Opcode } from '../../../../../src/famfs/fuse/protocol/abi.ts';
import { Call } from '../../../../../src/famfs/fuse/protocol/call.ts';
import { Errno, errnoName } from '../../../../../src/famfs/fuse/protocol/errno.ts';
import { Bench, hex, request, words } from './support.ts';

describe('dispatch', () => {
  it('answers with the request\'s unique, all 64 bits of it', () => {
    const bench = new Bench();
    const reply = bench.send(Opcode.Statfs, 1)!;
    assert.equal(reply.bytes.toString('hex', 8, 16), '0706050403020180');
    assert.equal(reply.bytes.readUInt32LE(0), reply.bytes.length);
  });

  for (const opcode of [Opcode.Forget, Opcode.BatchForget, Opcode.Interrupt]) {
    it(`does not answer ${operations[opcode]!.name}`, () => {
      assert.equal(new Bench().send(opcode, 2, words(1n)), undefined);
    });
  }

  const refusals: [keyof typeof Opcode, keyof typeof Errno][] = [
    ['Create', 'EPERM'], ['Mknod', 'EPERM'], ['Mkdir', 'EPERM'], ['Unlink', 'EPERM'], ['Rmdir', 'EPERM'],
    ['Rename', 'EPERM'], ['Rename2', 'EPERM'], ['Link', 'EPERM'], ['Symlink', 'EPERM'],
    ['Tmpfile', 'EOPNOTSUPP'], ['Fallocate', 'EOPNOTSUPP'], ['CopyFileRange', 'EOPNOTSUPP'],
    ['Setxattr', 'EOPNOTSUPP'], ['Removexattr', 'EOPNOTSUPP'], ['Readlink', 'EINVAL'], ['Ioctl', 'ENOTTY'],
    ['Flush', 'ENOSYS'], ['Poll', 'ENOSYS'], ['Statx', 'ENOSYS'], ['Access', 'ENOSYS'], ['Getlk', 'ENOSYS'],
    ['Bmap', 'ENOSYS'], ['Setupmapping', 'ENOSYS'], ['Init', 'ENOSYS'],
  ];
  for (const [opcode, errno] of refusals) {
    it(`${opcode} is ${errno}`, () => {
      const reply = new Bench().send(Opcode[opcode], 1, Buffer.alloc(64))!;
      assert.equal(errnoName(reply.errno), errno);
      assert.equal(reply.bytes.length, 16);
    });
  }

  const damaged: [string, Buffer, number][] = [
    ['an unknown opcode', request(4096, 1), Errno.ENOSYS],
    ['a READ without its arguments', request(Opcode.Read, 2, Buffer.alloc(39)), Errno.EIO],
    ['a SETATTR cut in half', request(Opcode.Setattr, 2, Buffer.alloc(44)), Errno.EIO],
    ['a length that is not its own', Buffer.concat([request(Opcode.Statfs, 1), Buffer.alloc(8)]), Errno.EIO],
    ['a LOOKUP whose name does not end', request(Opcode.Lookup, 1, Buffer.from('abc')), Errno.EINVAL],
    ['a WRITE that promises more data than it has', request(Opcode.Write, 2, words(0n, 0n, 100, 0, 0n, 0, 0)), Errno.EINVAL],
    ['a node id that never was', request(Opcode.Getattr, 2 ** 40, words(0, 0, 0n)), Errno.ESTALE],
  ];
  for (const [what, bytes, errno] of damaged) {
    it(`survives ${what}`, () => {
      const bench = new Bench();
      bench.index.nodes.set(2, { parent: 1, name: 'f', memory: Buffer.alloc(8) });
      assert.equal(bench.raw(bytes)!.errno, errno);
      assert.deepEqual(bench.failures, []);
    });
  }

  it('answers every request ESTALE when the pool was formatted anew, and does nothing of it', () => {
    for (const entry of operations.filter((one) => one?.replies)) {
      const bench = new Bench();
      const memory = Buffer.alloc(64);
      bench.index.nodes.set(2, { parent: 1, name: 'f', memory });
      bench.index.isReplaced = true;
      const body = entry!.opcode === Opcode.Write ? Buffer.concat([words(0n, 0n, 8, 0, 0n, 0, 0), Buffer.alloc(8, 1)]) : Buffer.alloc(96);
      assert.equal(errnoName(bench.send(entry!.opcode, 2, body)!.errno), 'ESTALE', entry!.name);
      assert.ok(memory.equals(Buffer.alloc(64)));
    }
  });

  it('turns a mistake of ours into EIO, and says so', () => {
    const bench = new Bench();
    bench.index.usage = () => {
      throw new RangeError('out of bounds');
    };
    assert.equal(bench.send(Opcode.Statfs, 1)!.errno, Errno.EIO);
    assert.deepEqual(bench.failures, ['STATFS: out of bounds']);
  });

  it('counts operations and errors', () => {
    const bench = new Bench();
    bench.send(Opcode.Statfs, 1);
    bench.send(Opcode.Statfs, 1);
    bench.send(Opcode.Mkdir, 1);
    bench.send(60, 1);
    const { operations: done, errors } = bench.counters.total()!;
    assert.deepEqual([done[Opcode.Statfs], errors[Opcode.Statfs]], [2, 0]);
    assert.deepEqual([done[Opcode.Mkdir], errors[Opcode.Mkdir]], [1, 1]);
    assert.deepEqual([done[0], errors[0]], [1, 1]);
  });

  it('starts only with buffers that hold everything', () => {
    checkBuffers(new Call(1024 * 1024), 1024 * 1024);
    assert.throws(() => checkBuffers(new Call(4096), 1024 * 1024), /too small for a WRITE/);
    const entry = operations[Opcode.Statfs]!;
    assert.throws(() => table([entry, entry]), /served twice: STATFS/);
  });

  it('answers any bytes with a well-formed reply or none', () => {
    const bench = new Bench();
    bench.index.nodes.set(2, { parent: 1, name: 'd' });
    bench.index.nodes.set(3, { parent: 2, name: 'f', memory: Buffer.alloc(100) });
    const [opcodes, nodes] = [fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 4 })];
    const requests = fc.tuple(opcodes, nodes, fc.uint8Array({ maxLength: 200 }));
    fc.assert(fc.property(requests, ([opcode, node, args]) => {
      const reply = bench.send(opcode, node, args);
      if (reply === undefined) return;
      assert.equal(reply.bytes.readUInt32LE(0), reply.bytes.length);
      assert.ok(reply.errno >= 0 && reply.errno < 512);
      assert.ok(reply.errno === 0 || reply.body.length === 0);
    }), { numRuns: 20_000, seed: 3 });
    assert.deepEqual(bench.failures, []);
    assert.equal(bench.index.nodes.get(3)!.memory!.length, 100);
  });

  it('replies to LOOKUP byte for byte', () => {
    const bench = new Bench();
    bench.index.nodes.set(9, { parent: 1, name: 'data', memory: Buffer.alloc(5000), mode: 0o640, uid: 7, gid: 8 });
    const { bytes } = bench.send(Opcode.Lookup, 1, Buffer.from('data\0'))!;
    assert.deepEqual(bytes, hex`
      90000000 00000000 0706050403020180                   // len 144, no error, unique
      0900000000000000 0000000000000000                    // nodeid, generation
      8051010000000000 8051010000000000 00000000 00000000  // entry and attributes valid for a day
      0900000000000000 8813000000000000 0a00000000000000   // ino, size, blocks
      00f1536500000000 00f1536500000000 00f1536500000000   // atime, mtime, ctime
      00000000 00000000 00000000                           // their nanoseconds
      a0810000 01000000 07000000 08000000                  // S_IFREG|0640, nlink, uid, gid
      00000000 00100000 00000000`); // rdev, blksize, flags
  });
});
