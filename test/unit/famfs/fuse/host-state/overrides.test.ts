import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { Header, Slot, TABLE } from '../../../../../src/famfs/fuse/host-state/overrides-layout.ts';
import { Override, OverrideField, Overrides, type VolumeOf } from '../../../../../src/famfs/fuse/host-state/overrides.ts';
import { tempDir } from '../../../../harness/temp.ts';

const uuid = '00112233-4455-4677-8899-aabbccddeeff';

/** Each node is a volume of its own, unless a test says otherwise. */
const ofItself: VolumeOf = (node) => node;
const setMode = (table: Overrides, node: number, mode: number, volumeOf = ofItself) => table.change(node, (override) => {
  override.mode = mode;
  override.fields |= OverrideField.mode;
}, volumeOf);

function modeOf(table: Overrides, node: number): number | undefined {
  const override = new Override();
  return table.read(node, override) ? override.mode : undefined;
}

/** Nodes that hash to one place. */
function colliding(count: number): number[] {
  const first = TABLE.hash(100);
  const found = [];
  for (let node = 100; found.length < count; node++) if (TABLE.hash(node) === first) found.push(node);
  return found;
}

describe('override table', () => {
  let directory: string;
  let table: Overrides;
  beforeEach(() => {
    directory = tempDir('overrides');
    table = Overrides.open(directory, uuid, '');
  });
  afterEach(() => table.close());

  it('is empty at first, and has all of its room', () => {
    assert.equal(table.isUsed(), false);
    assert.equal(modeOf(table, 5), undefined);
    const stat = fs.statSync(path.join(directory, 'overrides', uuid));
    assert.equal(stat.size, TABLE.length);
    assert.equal(stat.blocks * 512, TABLE.length);
    assert.ok(Math.abs(table.createdSeconds() - Date.now() / 1000) < 60);
  });

  it('of an earlier version goes on as that of the first log life that asks for it, for both versions', () => {
    table.setGroup(7, 4711);
    const groupOf = (of: Overrides, node: number) => {
      const read = new Override();
      return of.read(node, read) ? read.group : undefined;
    };
    const [now, next] = ['a', 'b'].map((life) => Overrides.open(directory, uuid, life.repeat(16)));
    assert.deepEqual([groupOf(now, 7), groupOf(next, 7)], [4711, undefined]);
    table.setGroup(8, 12);
    assert.equal(groupOf(now, 8), 12);
    for (const each of [now, next]) each.close();
  });

  it('keeps everything, in another mapping too', () => {
    table.change(7, (o) => Object.assign(o, {
      fields: 127, mode: 0o640, uid: 0xffff_fffe, gid: 3, group: 4, atime: -1, mtime: 2 ** 40, ctime: 5,
      atimensec: 999_999_999, mtimensec: 1, ctimensec: 2,
    }), (node) => node);
    const other = Overrides.open(directory, uuid, '');
    const read = new Override();
    assert.equal(other.read(7, read), true);
    assert.deepEqual({ ...read }, {
      fields: 127, mode: 0o640, uid: 0xffff_fffe, gid: 3, group: 4, atime: -1, mtime: 2 ** 40, ctime: 5,
      atimensec: 999_999_999, mtimensec: 1, ctimensec: 2,
    });
    assert.equal(other.generation(), 1);
    other.close();
  });

  it('finds every node of a chain, also after some were given back', () => {
    const nodes = colliding(6);
    nodes.forEach((node, k) => setMode(table, node, k));
    table.forget([nodes[1], nodes[3]]);
    assert.deepEqual(nodes.map((node) => modeOf(table, node)), [0, undefined, 2, undefined, 4, 5]);
    setMode(table, nodes[3], 33);
    assert.deepEqual(nodes.map((node) => modeOf(table, node)), [0, undefined, 2, 33, 4, 5]);
    table.forget(nodes);
    assert.equal(table.isUsed(), false);
    // A freed chain is free: no tombstone makes later searches longer.
    const words = new Uint32Array(fs.readFileSync(path.join(directory, 'overrides', uuid)).buffer);
    assert.ok(words.subarray(TABLE.first).every((word, k) => k % Slot.words !== Slot.node || word === 0));
  });

  it('forgets nothing it never knew', () => {
    table.forget([1, 2, 3]);
    assert.equal(table.generation(), 0);
  });

  it('has its room taken by a version before that left holes in it', () => {
    setMode(table, 7, 0o600);
    const file = path.join(directory, 'overrides', uuid);
    const bytes = fs.readFileSync(file);
    const fd = fs.openSync(file, 'w');
    for (let at = 0; at < bytes.length; at += 4096) {
      if (bytes.subarray(at, at + 4096).some((byte) => byte !== 0)) fs.writeSync(fd, bytes, at, 4096, at);
    }
    fs.ftruncateSync(fd, bytes.length);
    assert.ok(fs.fstatSync(fd).blocks * 512 < 65536);
    Overrides.open(directory, uuid, '').close();
    assert.equal(fs.fstatSync(fd).blocks * 512, TABLE.length);
    assert.deepEqual(fs.readFileSync(file), bytes);
    fs.closeSync(fd);
  });

  it('has no room for more of a volume that has an eighth of what is free, and room for all others', () => {
    const volumeOf = (node: number) => (node < 100_000 ? 1 : node);
    let node = 2;
    while (setMode(table, node, 1, volumeOf)) node++;
    const used = node - 2;
    assert.equal(used, Math.floor(TABLE.mostUsed / 9) + 1);
    assert.equal(setMode(table, 5, 2, volumeOf), true, 'what is there can still be changed');
    assert.equal(setMode(table, 100_000, 1, volumeOf), true);
    table.setGroup(node, 1000);
    table.forget([2, 3]);
    assert.equal(setMode(table, node + 1, 1, volumeOf), true, 'what it gives back it may use again');
  });

  it('has room for a volume that comes after many that take all they get', () => {
    const volumeOf = (node: number) => node >> 16;
    let node = 1;
    for (let volume = 0; volume < 20; volume++) for (node = volume << 16 | 1; setMode(table, node, 1, volumeOf); node++);
    for (let k = 1; k < 100; k++) assert.equal(setMode(table, (20 << 16) + k, 1, volumeOf), true);
  });

  it('starts anew after a reboot', () => {
    setMode(table, 7, 0o600);
    const file = path.join(directory, 'overrides', uuid);
    const fd = fs.openSync(file, 'r+');
    fs.writeSync(fd, Buffer.alloc(16, 1), 0, 16, Header.boot * 4);
    fs.closeSync(fd);
    const later = Overrides.open(directory, uuid, '');
    assert.equal(modeOf(later, 7), undefined);
    later.close();
  });

  it('has one group for a directory at a time', () => {
    table.setGroup(9, 1000);
    table.setGroup(9, 1000);
    assert.equal(table.hasGroups(), true);
    assert.throws(() => table.setGroup(9, 1001), { code: 'EXISTS' });
    setMode(table, 9, 0o700);
    table.setGroup(9, undefined);
    table.setGroup(9, undefined);
    assert.equal(table.hasGroups(), false);
    assert.equal(modeOf(table, 9), 0o700);
    table.setGroup(9, 1001);
    table.forget([9]);
    assert.equal(table.hasGroups(), false);
  });

  it('tells what changed since it was last asked', () => {
    const seen = new Map<number, number>();
    const ask = () => {
      const changed: number[] = [];
      table.changesSince(seen, (node) => changed.push(node));
      return changed.sort((a, b) => a - b);
    };
    setMode(table, 3, 1);
    setMode(table, 4, 1);
    assert.deepEqual(ask(), [3, 4]);
    assert.deepEqual(ask(), []);
    setMode(table, 4, 2);
    assert.deepEqual(ask(), [4]);
  });

  it('knows how far the kernel has been told', () => {
    assert.equal(table.isNotified(table.generation()), true);
    setMode(table, 3, 1);
    assert.equal(table.isNotified(table.generation()), false);
    table.setNotified(table.generation());
    assert.equal(table.isNotified(table.generation()), true);
    table.setNotified(0x7fff_ffff);
    assert.equal(table.isNotified(0x8000_0001), false, 'generations go round');
  });

  it('repairs what a writer that died left half-done', () => {
    setMode(table, 7, 0o600);
    const { address } = table.handle();
    assert.ok(address > 0n);
    const file = path.join(directory, 'overrides', uuid);
    const fd = fs.openSync(file, 'r+');
    const slot = (TABLE.first + TABLE.hash(7) * Slot.words) * 4;
    fs.writeSync(fd, Buffer.from([3, 0, 0, 0]), 0, 4, slot); // an odd sequence: in the middle of a change
    fs.closeSync(fd);
    assert.equal(modeOf(table, 7), undefined, 'a reader does not wait for ever');
    setMode(table, 7, 0o644);
    assert.equal(modeOf(table, 7), 0o644);
  });

  it('loses nothing under threads that write at once', async function () {
    const threads = 4;
    const times = 300;
    const module = new URL('../../../../../src/famfs/fuse/host-state/overrides.ts', import.meta.url).href;
    const source = `
      const { workerData } = require('node:worker_threads');
      import(${JSON.stringify(module)}).then(({ Overrides }) => {
        const table = Overrides.attach(workerData);
        for (let k = 0; k < ${times}; k++) {
          table.change(77, (o) => { o.fields |= 3; o.mode++; o.uid = o.mode; }, (node) => node);
          table.change(1000 + (k % 50), (o) => { o.fields |= 1; o.mode++; }, (node) => node);
        }
        table.close();
      });`;
    const override = new Override();
    const workers = Array.from({ length: threads }, () => new Worker(source, { eval: true, workerData: table.handle() }));
    let living = threads;
    let torn = 0;
    const ends = workers.map((worker) => new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', () => resolve(living--));
    }));
    while (living > 0) {
      for (let k = 0; k < 1000; k++) if (table.read(77, override) && override.uid !== override.mode) torn++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(ends);
    assert.equal(torn, 0);
    assert.equal(modeOf(table, 77), threads * times);
    for (let k = 0; k < 50; k++) assert.equal(modeOf(table, 1000 + k), (threads * times) / 50);
  });
});
