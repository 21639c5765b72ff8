import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { isReadOnly, judgeAttachment } from '../../../src/controller/attach-rules.ts';
import type { AccessMode } from '../../../src/csi/capabilities.ts';
import type { Attachment } from '../../../src/state/interfaces.ts';

const directory = '0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0/v';

/** Every way to attach: a mode, or a mode with the request's readonly flag. */
const uses: Readonly<Record<string, readonly [AccessMode, boolean]>> = {
  RWX: ['MULTI_NODE_MULTI_WRITER', false],
  'RWX, ro': ['MULTI_NODE_MULTI_WRITER', true],
  ROX: ['MULTI_NODE_READER_ONLY', false],
  RWO: ['SINGLE_NODE_MULTI_WRITER', false],
  'RWO, ro': ['SINGLE_NODE_MULTI_WRITER', true],
  'old RWO': ['SINGLE_NODE_WRITER', false],
  'old RWO, ro': ['SINGLE_NODE_WRITER', true],
  RWOP: ['SINGLE_NODE_SINGLE_WRITER', false],
  'RWOP, ro': ['SINGLE_NODE_SINGLE_WRITER', true],
  'one node reads': ['SINGLE_NODE_READER_ONLY', false],
  'one node writes': ['MULTI_NODE_SINGLE_WRITER', false],
  'one node writes, ro': ['MULTI_NODE_SINGLE_WRITER', true],
};
const names = Object.keys(uses);

const attachment = (use: string, node: string, volume = directory): Attachment => {
  const [mode, readonly] = uses[use]!;
  return { volume, node, mode, readonly: isReadOnly(mode, readonly) };
};

/** What may stand beside what on another node, one row for each use, in the order of `uses`: y for yes. */
const onAnotherNode: Readonly<Record<string, string>> = {
  RWX: /*                 */ 'y y y - y - y - - y - y',
  'RWX, ro': /*           */ 'y y y y y y y - - - y y',
  ROX: /*                 */ 'y y y y y y y - - - y y',
  RWO: /*                 */ '- y y - y - y - - y - y',
  'RWO, ro': /*           */ 'y y y y y y y - - - y y',
  'old RWO': /*           */ '- y y - y - y - - y - y',
  'old RWO, ro': /*       */ 'y y y y y y y - - - y y',
  RWOP: /*                */ '- - - - - - - - - - - -',
  'RWOP, ro': /*          */ '- - - - - - - - - - - -',
  'one node reads': /*    */ 'y - - y - y - - - - y -',
  'one node writes': /*   */ '- y y - y - y - - y - y',
  'one node writes, ro': /**/ 'y y y y y y y - - - y y',
};

describe('rules of attaching', () => {
  const verdict = (existing: readonly Attachment[], wanted: Attachment) => {
    const judged = judgeAttachment(existing, wanted);
    return judged.kind === 'refused' ? judged.error.code : judged.kind;
  };

  it('take a first attachment of any kind, and the same again', () => {
    for (const use of names) {
      assert.equal(verdict([], attachment(use, 'a')), 'attach', use);
      assert.equal(verdict([attachment(use, 'a')], attachment(use, 'a')), 'attached', use);
    }
  });

  for (const [first, row] of Object.entries(onAnotherNode)) {
    it(`on another node, beside ${first}`, () => {
      const allowed = row.split(' ');
      assert.equal(allowed.length, names.length);
      for (const [at, second] of names.entries()) {
        for (const handle of [directory, `${directory}//other`]) {
          const got = verdict([attachment(first, 'a')], attachment(second, 'b', handle));
          assert.equal(got, allowed[at] === 'y' ? 'attach' : status.FAILED_PRECONDITION, `${second} by ${handle}`);
        }
      }
    });

    it(`on the same node by another handle, beside ${first}: all but RWOP`, () => {
      for (const second of names) {
        const got = verdict([attachment(first, 'a', `${directory}//one`)], attachment(second, 'a', directory));
        assert.equal(got, first.startsWith('RWOP') || second.startsWith('RWOP') ? status.FAILED_PRECONDITION : 'attach', second);
      }
    });

    it(`on the same node by the same handle, as ${first}: the same or nothing`, () => {
      for (const second of names) {
        const [before, wanted] = [attachment(first, 'a'), attachment(second, 'a')];
        const isSame = before.mode === wanted.mode && before.readonly === wanted.readonly;
        assert.equal(verdict([before], wanted), isSame ? 'attached' : status.ALREADY_EXISTS, second);
      }
    });
  }

  it('do not depend on who came first', () => {
    for (const first of names) {
      for (const second of names) {
        const there = verdict([attachment(first, 'a')], attachment(second, 'b'));
        assert.equal(verdict([attachment(second, 'a')], attachment(first, 'b')), there, `${first}, ${second}`);
      }
    }
  });

  it('look at every attachment, and name the one in the way', () => {
    const readers = [attachment('ROX', 'b'), attachment('ROX', 'c', `${directory}//other`)];
    const judged = judgeAttachment([...readers, attachment('RWO', 'd', `${directory}//writer`)], attachment('RWO', 'e'));
    assert.equal(judged.kind, 'refused');
    assert.match(judged.error.message, /^\S+\/v\/\/writer is published on node d as SINGLE_NODE_MULTI_WRITER: unpublish it there before publishing \S+\/v on e as/);
  });

  it('name another handle as the way to a second use on one node', () => {
    const judged = judgeAttachment([attachment('RWX', 'a', `${directory}//x`)], attachment('RWX, ro', 'a', `${directory}//x`));
    assert.equal(judged.kind, 'refused');
    assert.match(judged.error.message, /published on node a already, as MULTI_NODE_MULTI_WRITER: .* as MULTI_NODE_MULTI_WRITER, read-only, or use another handle of its directory \(\S+\/v\/\/NAME\)/);
  });
});
