import assert from 'node:assert/strict';
import { Call } from '../../../../../src/famfs/fuse/protocol/call.ts';
import { type ChannelIo, notify, receive, send } from '../../../../../src/famfs/fuse/protocol/channel.ts';
import { request } from '../operations/support.ts';

/** A descriptor that fails as told, then works. */
function script(...codes: string[]): ChannelIo & { sent: Buffer[] } {
  const sent: Buffer[] = [];
  const next = () => {
    const code = codes.shift();
    if (code !== undefined && code !== '') throw Object.assign(new Error(code), { code });
  };
  return {
    sent,
    readSync: () => (next(), 40),
    writevSync: (_fd, parts) => (next(), sent.push(Buffer.concat(parts)), 0),
  };
}

function answered(window?: Uint8Array): Call {
  const call = new Call(4096);
  const bytes = request(15, 2);
  call.request.set(bytes);
  call.begin(bytes.length);
  if (window !== undefined) call.windows = [{ address: 0, bytes: window.subarray(0, 3) }, { address: 3, bytes: window.subarray(3) }];
  call.finish(0);
  return call;
}

describe('channel', () => {
  it('repeats an interrupted read', () => {
    assert.equal(receive(3, Buffer.alloc(64), script('EINTR', 'EAGAIN', 'ENOENT', '')), 40);
  });

  it('ends when the file system was unmounted', () => {
    assert.equal(receive(3, Buffer.alloc(64), script('ENODEV')), undefined);
  });

  it('does not hide other errors', () => {
    assert.throws(() => receive(3, Buffer.alloc(64), script('EINVAL')), { code: 'EINVAL' });
    assert.throws(() => send(3, answered(), undefined, script('EINVAL')), { code: 'EINVAL' });
  });

  it('sends header and memory in one call', () => {
    const io = script();
    send(3, answered(Buffer.from('famfs!')), undefined, io);
    assert.equal(io.sent.length, 1);
    assert.equal(io.sent[0].readUInt32LE(0), 22);
    assert.equal(io.sent[0].subarray(16).toString(), 'famfs!');
  });

  for (const gone of ['ENOENT', 'ENODEV']) {
    it(`takes ${gone} for a request that nobody waits for`, () => send(3, answered(), undefined, script(gone)));
  }

  it('copies memory that the kernel cannot take pages from', () => {
    const io = script('EFAULT');
    send(3, answered(Buffer.from('famfs!')), undefined, io);
    assert.equal(io.sent[0].subarray(16).toString(), 'famfs!');
  });

  it('answers EIO when a copy does not go either', () => {
    const io = script('EFAULT', 'EFAULT');
    send(3, answered(Buffer.from('famfs!')), undefined, io);
    assert.equal(io.sent[0].length, 16);
    assert.equal(io.sent[0].readInt32LE(4), -5);
    assert.equal(io.sent[0].toString('hex', 8), '0706050403020180');
  });

  it('tells whether a notification applied', () => {
    assert.equal(notify(3, Buffer.alloc(16), script()), true);
    for (const code of ['ENOENT', 'ENODEV', 'EINVAL']) assert.equal(notify(3, Buffer.alloc(16), script(code)), false);
    assert.throws(() => notify(3, Buffer.alloc(16), script('EPERM')));
  });
});
