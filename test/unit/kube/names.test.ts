import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { defaultMembersNamespace, Names } from '../../../src/kube/names.ts';

describe('names in Kubernetes', () => {
  const longest = new Names(`${'a'.repeat(59)}.Org`);
  const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

  it('are names that an object may have, whatever they are made of', () => {
    for (const name of [longest.controllerLease, longest.attachment('/\u0000'.repeat(64)), longest.member(randomUUID(), 'N_/'.repeat(100))]) {
      assert.match(name, subdomain);
      assert.ok(name.length <= 253, name);
    }
    for (const value of Object.values(longest.labels('attachment'))) assert.match(value, /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/);
  });

  it('differ for each volume, pool and host', () => {
    const names = new Names('csi.famfs.io');
    const pool = randomUUID();
    const made = [names.controllerLease, names.attachment('a'), names.attachment('b'), names.member(pool, 'a'), names.member(pool, 'b'), names.member(randomUUID(), 'a')];
    assert.equal(new Set(made).size, made.length);
    assert.match(made[1]!, /^csi\.famfs\.io-attach-[0-9a-f]{20}$/);
    assert.match(made[3]!, new RegExp(`^csi\\.famfs\\.io-member-${pool}-[0-9a-f]{10}$`));
  });

  it('make a label of every node\'s name, which is the name where it fits', () => {
    const names = new Names('csi.famfs.io');
    assert.equal(names.nodeLabel('node-a.example.org'), 'node-a.example.org');
    assert.equal(names.nodeLabel('n'.repeat(63)), 'n'.repeat(63));
    assert.equal(names.nodeLabel('n'.repeat(64)), 'n'.repeat(63));
    assert.equal(names.nodeLabel(`${'n'.repeat(60)}.-.org`), 'n'.repeat(60));
  });

  it('tell the Lease that says where members are from every member\'s', () => {
    const names = new Names('csi.famfs.io');
    assert.equal(names.membersSign, 'csi.famfs.io-members-moved');
    assert.doesNotMatch(names.membersSign, /-member-/);
  });

  it('make a namespace for members of every name that a namespace may have', () => {
    for (const namespace of ['famfs-system', 'n'.repeat(63), `${'n'.repeat(50)}${'-'.repeat(12)}n`]) {
      assert.match(defaultMembersNamespace(namespace), /^[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/);
    }
    assert.equal(defaultMembersNamespace('famfs-system'), 'famfs-system-members');
  });
});
