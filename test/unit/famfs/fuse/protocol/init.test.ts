import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { Call } from '../../../../../src/famfs/fuse/protocol/call.ts';
import { answerInit, limitations, MAX_WRITE } from '../../../../../src/famfs/fuse/protocol/init.ts';
import { hostTimeouts } from '../../../../../src/famfs/fuse/protocol/request-timeout.ts';
import { tempDir } from '../../../../harness/temp.ts';
import { hex, request, words } from '../operations/support.ts';

function init(major: number, minor: number, flags = 0xffffffff, flags2 = 0xffffffff, timeouts = { defaultSeconds: 0, maxSeconds: 0 }) {
  const call = new Call(MAX_WRITE);
  const bytes = request(26, 0, Buffer.concat([words(major, minor, 0x20000, flags, flags2), Buffer.alloc(44)]));
  call.request.set(bytes);
  call.begin(bytes.length);
  const agreement = answerInit(call, timeouts);
  call.finish(0);
  return { agreement, reply: Buffer.from(call.reply.subarray(0, 16 + call.bodyLength)) };
}

describe('INIT', () => {
  it('is answered with what we want of what is offered', () => {
    const { agreement, reply } = init(7, 45);
    assert.deepEqual(agreement, { minor: 45, maxWrite: 1048576, epoch: true, resend: true, idmap: true, requestTimeoutSeconds: 0 });
    assert.deepEqual(reply, hex`
      50000000 00000000 0706050403020180  // len 80, no error, unique
      07000000 2d000000 00000200          // 7.45, max_readahead as offered
      21604450                            // ASYNC_READ BIG_WRITES READDIRPLUS+AUTO PARALLEL_DIROPS MAX_PAGES KILLPRIV_V2 INIT_EXT
      4000 3000                           // max_background 64, congestion 48
      00001000 01000000 0004 0000         // max_write 1 MiB, time_gran 1 ns, max_pages 1024, map_alignment
      90010000                            // DIRECT_IO_ALLOW_MMAP HAS_RESEND ALLOW_IDMAP
      00000000 00000000 00000000 00000000 00000000 00000000 00000000`);
  });

  it('does not claim what the kernel does not offer', () => {
    const { agreement, reply } = init(7, 41, 1, 0);
    assert.equal(reply.readUInt32LE(16 + 12), 1);
    assert.equal(reply.readUInt32LE(16 + 32), 0);
    assert.equal(agreement.resend, false);
    assert.equal(agreement.epoch, false);
    assert.equal(agreement.idmap, false);
  });

  it('answers a newer kernel with the version we know', () => {
    assert.equal(init(7, 99).agreement.minor, 45);
  });

  it('says what an older kernel lacks', () => {
    assert.deepEqual(limitations(init(7, 45).agreement), []);
    assert.equal(limitations(init(7, 40).agreement).length, 1, 'names are cached for 1 s');
    assert.equal(limitations(init(7, 38, 0xffffffff, 0).agreement).length, 4);
    assert.equal(limitations(init(7, 40, 0xffffffff, 0x90).agreement)[0], 'pods with hostUsers: false cannot use the pool (needs Linux 6.12)');
  });

  it('says what a session lacks that an earlier version has mounted', () => {
    const { minor, maxWrite, epoch, resend } = init(7, 45).agreement;
    assert.deepEqual(limitations({ minor, maxWrite, epoch, resend }), ['pods with hostUsers: false cannot use the pool (an earlier version mounted it)']);
  });

  it('asks for the longest wait of requests where the host has a default, and says what a lower limit means', () => {
    const agreed = (defaultSeconds: number, maxSeconds: number, flags2 = 0xffffffff) => {
      const { agreement, reply } = init(7, 45, 0xffffffff, flags2, { defaultSeconds, maxSeconds });
      const flag = (reply.readUInt32LE(16 + 32) >>> 10) & 1; // FUSE_REQUEST_TIMEOUT, bit 42
      return [flag, reply.readUInt16LE(16 + 40), agreement.requestTimeoutSeconds, ...limitations({ ...agreement, idmap: true })];
    };
    const ends = (seconds: number) => `a session ends when a request of it waits for ${seconds} s, as while its data plane is away ` +
      '(set sysctl fs.fuse.max_request_timeout to 0)';
    assert.deepEqual(agreed(0, 0), [0, 0, 0]);
    assert.deepEqual(agreed(60, 0), [1, 65535, 65535]);
    assert.deepEqual(agreed(60, 120), [1, 65535, 120, ends(120)]);
    assert.deepEqual(agreed(0, 120), [0, 0, 120, ends(120)]);
    assert.deepEqual(agreed(0, 3), [0, 0, 15, ends(15)], 'the kernel looks every 15 s');
    assert.deepEqual(agreed(60, 0, 0x90), [0, 0, 60, ends(60)], 'a kernel that lets nobody ask');
  });

  it('knows what the host is set to', () => {
    const sysctls = tempDir('sysctl');
    assert.deepEqual(hostTimeouts(sysctls), { defaultSeconds: 0, maxSeconds: 0 }, 'an older kernel');
    fs.writeFileSync(join(sysctls, 'default_request_timeout'), '60\n');
    fs.writeFileSync(join(sysctls, 'max_request_timeout'), '120\n');
    assert.deepEqual(hostTimeouts(sysctls), { defaultSeconds: 60, maxSeconds: 120 });
  });

  for (const [major, minor] of [[7, 31], [6, 45], [8, 0]]) {
    it(`refuses ${major}.${minor}`, () => assert.throws(() => init(major, minor), { code: 'UNSUPPORTED' }));
  }
});
