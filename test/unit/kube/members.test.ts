import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { V1Lease } from '@kubernetes/client-node';
import { memberOf, replacedLeases } from '../../../src/kube/members.ts';
import { Names } from '../../../src/kube/names.ts';

const names = new Names('csi.famfs.io');
const pool = randomUUID();
const member = { pool, host: 'node-a', bootId: 'one', acknowledged: '7' };

/** A Lease as a data plane writes it, with changes. */
function lease({ name = names.member(pool, 'node-a'), record = member as unknown, node = 'node-a' as string | null, annotations = {}, version = '1' } = {}): V1Lease {
  return {
    metadata: {
      name, namespace: 'members', uid: `uid of ${name}`, resourceVersion: version,
      labels: { ...names.labels('member'), ...(node === null ? {} : { 'famfs.io/node': node }) },
      annotations: { ...annotations, ...(record === null ? {} : { 'famfs.io/record': JSON.stringify(record) }) },
    },
  };
}

describe('a member record', () => {
  const labelled = { isLabelled: true };

  it('is the host\'s that name, label and record agree on', () => {
    assert.deepEqual(memberOf(lease(), names, labelled), member);
    const long = `${'n'.repeat(60)}.example.org`;
    const record = { ...member, host: long };
    assert.deepEqual(memberOf(lease({ name: names.member(pool, long), record, node: names.nodeLabel(long) }), names, labelled), record);
  });

  it('needs no label where earlier versions write it', () => {
    assert.deepEqual(memberOf(lease({ node: null }), names), member);
  });

  for (const [what, changed, told] of [
    ['has the label of another node', lease({ node: 'node-b' }), /with the label of node node-b names host node-a/],
    ['has no label', lease({ node: null }), /names host node-a/],
    ['names another host than the Lease', lease({ record: { ...member, host: 'node-b' }, node: 'node-b' }), /names host node-b/],
    ['names another pool than the Lease', lease({ record: { ...member, pool: randomUUID() } }), /names host node-a/],
    ['has no record', lease({ record: null }), /names no host/],
    ['is no record', lease({ record: 'text' }), /names no host/],
    ['is of other types', lease({ record: { pool, host: 7, bootId: {} } }), /names host 7/],
    ['has no boot id', lease({ record: { pool, host: 'node-a' } }), /names host node-a/],
    ['is endless', lease({ record: { ...member, host: 'x'.repeat(100_000) } }), /names host x{100}\)$/],
  ] as const) {
    it(`is nobody's when it ${what}`, () => {
      const found = memberOf(changed, names, labelled);
      assert.ok(typeof found === 'string', 'it counts as a host\'s');
      assert.match(found, /^nobody \(Lease csi\.famfs\.io-member-.* in members/);
      assert.match(found, told);
    });
  }

  describe('of an earlier data plane', () => {
    const replaces = (version: string) => ({ annotations: { 'famfs.io/replaces': `uid of ${names.member(pool, 'node-a')} ${version}` } });
    const earlier = lease({ node: null, version: '5' });

    it('may go when a record of its host names its version', () => {
      assert.deepEqual(replacedLeases([earlier], [lease(replaces('5'))], names), [earlier]);
    });

    it('stays when it was written since, when its host says nothing of it, and when another one asks for it', () => {
      assert.deepEqual(replacedLeases([earlier], [lease(replaces('4'))], names), []);
      assert.deepEqual(replacedLeases([earlier], [lease()], names), []);
      assert.deepEqual(replacedLeases([earlier], [], names), []);
      assert.deepEqual(replacedLeases([earlier], [lease({ ...replaces('5'), node: 'node-b' })], names), []);
      const other = lease({ ...replaces('5'), name: names.member(pool, 'node-b'), record: { ...member, host: 'node-b' }, node: 'node-b' });
      assert.deepEqual(replacedLeases([earlier], [other], names), []);
    });
  });
});
