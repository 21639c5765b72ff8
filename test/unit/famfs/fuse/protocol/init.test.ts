import assert from 'node:assert/strict';
import { Call } from '../../../../../src/famfs/fuse/protocol/call.ts';
import { answerInit, limitations, MAX_WRITE } from '../../../../../src/famfs/fuse/protocol/init.ts';
import { hex, request, words } from '../operations/support.ts';

function init(major: number, minor: number, flags = 0xffffffff, flags2 = 0xffffffff) {
  const call = new Call(MAX_WRITE);
  const bytes = request(26, 0, Buffer.concat([words(major, minor, 0x20000, flags, flags2), Buffer.alloc(44)]));
  call.request.set(bytes);
  call.begin(bytes.length);
  const agreement = answerInit(call);
  call.finish(0);
  return { agreement, reply: Buffer.from(call.reply.subarray(0, 16 + call.bodyLength)) };
}

describe('INIT', () => {
  it('is answered with what we want of what is offered', () => {
    const { agreement, reply } = init(7, 45);
    assert.deepEqual(agreement, { minor: 45, maxWrite: 1048576, epoch: true, resend: true });
    assert.deepEqual(reply, hex`
      50000000 00000000 0706050403020180  // len 80, no error, unique
      07000000 2d000000 00000200          // 7.45, max_readahead as offered
      21604450                            // ASYNC_READ BIG_WRITES READDIRPLUS+AUTO PARALLEL_DIROPS MAX_PAGES KILLPRIV_V2 INIT_EXT
      4000 3000                           // max_background 64, congestion 48
      00001000 01000000 0004 0000         // max_write 1 MiB, time_gran 1 ns, max_pages 1024, map_alignment
      90000000                            // DIRECT_IO_ALLOW_MMAP HAS_RESEND
      00000000 00000000 00000000 00000000 00000000 00000000 00000000`);
  });

  it('does not claim what the kernel does not offer', () => {
    const { agreement, reply } = init(7, 41, 1, 0);
    assert.equal(reply.readUInt32LE(16 + 12), 1);
    assert.equal(reply.readUInt32LE(16 + 32), 0);
    assert.equal(agreement.resend, false);
    assert.equal(agreement.epoch, false);
  });

  it('answers a newer kernel with the version we know', () => {
    assert.equal(init(7, 99).agreement.minor, 45);
  });

  it('says what an older kernel lacks', () => {
    assert.deepEqual(limitations(init(7, 45).agreement), []);
    assert.equal(limitations(init(7, 40).agreement).length, 1);
    assert.equal(limitations(init(7, 38, 0xffffffff, 0).agreement).length, 3);
  });

  for (const [major, minor] of [[7, 31], [6, 45], [8, 0]]) {
    it(`refuses ${major}.${minor}`, () => assert.throws(() => init(major, minor), { code: 'UNSUPPORTED' }));
  }
});
