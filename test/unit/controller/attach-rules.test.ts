import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { judgeAttachment } from '../../../src/controller/attach-rules.ts';
import type { AccessMode } from '../../../src/csi/capabilities.ts';
import type { Attachment } from '../../../src/state/interfaces.ts';

const at = (node: string, mode: AccessMode, readonly = false): Attachment => ({ node, mode, readonly });
const RWO = 'SINGLE_NODE_WRITER';
const RWOP = 'SINGLE_NODE_SINGLE_WRITER';
const RWX = 'MULTI_NODE_MULTI_WRITER';
const ROX = 'MULTI_NODE_READER_ONLY';
const ONE_WRITER = 'MULTI_NODE_SINGLE_WRITER';

describe('rules of attaching', () => {
  for (const [what, existing, wanted, verdict] of [
    ['a first node', [], at('a', RWO), 'attach'],
    ['the same again', [at('a', RWO)], at('a', RWO), 'attached'],
    ['the same node with another mode', [at('a', RWO)], at('a', RWX), status.ALREADY_EXISTS],
    ['the same node, now read-only', [at('a', RWX)], at('a', RWX, true), status.ALREADY_EXISTS],
    ['RWO on a second node', [at('a', RWO)], at('b', RWO), status.FAILED_PRECONDITION],
    ['RWOP on a second node', [at('a', RWOP)], at('b', RWOP), status.FAILED_PRECONDITION],
    ['RWX beside RWO', [at('a', RWO)], at('b', RWX), status.FAILED_PRECONDITION],
    ['RWO beside RWX', [at('a', RWX)], at('b', RWO), status.FAILED_PRECONDITION],
    ['a single-node reader beside RWX', [at('a', RWX)], at('b', 'SINGLE_NODE_READER_ONLY', true), status.FAILED_PRECONDITION],
    ['RWX on a second node', [at('a', RWX)], at('b', RWX), 'attach'],
    ['RWX read-only on a second node', [at('a', RWX)], at('b', RWX, true), 'attach'],
    ['ROX beside RWX', [at('a', RWX)], at('b', ROX, true), 'attach'],
    ['a second writer of one-writer mode', [at('a', ONE_WRITER)], at('b', ONE_WRITER), status.FAILED_PRECONDITION],
    ['a reader of one-writer mode', [at('a', ONE_WRITER)], at('b', ONE_WRITER, true), 'attach'],
    ['a writer beside a reader of one-writer mode', [at('a', ONE_WRITER, true)], at('b', ONE_WRITER), 'attach'],
    ['RWX beside the one writer', [at('a', ONE_WRITER)], at('b', RWX), status.FAILED_PRECONDITION],
  ] as const) {
    it(`${what}: ${typeof verdict === 'string' ? verdict : status[verdict]}`, () => {
      const judged = judgeAttachment('pool/v', existing, wanted);
      assert.equal(judged.kind === 'refused' ? judged.error.code : judged.kind, verdict);
      if (judged.kind === 'refused') assert.match(judged.error.message, /node a/);
    });
  }
});
