import assert from 'node:assert/strict';
import { classify, findRefusal, namespacesOf } from '../../e2e/suite/classify.ts';
import type { SpecReport } from '../../e2e/suite/ginkgo.ts';
import { commandIn } from '../../e2e/suite/repeat.ts';
import { mountsOf } from '../../e2e/suite/witness.ts';

const nothing = { mounts: new Set<string>(), logs: [] };

function report(more: Partial<SpecReport>): SpecReport {
  return { ContainerHierarchyTexts: ['External Storage', 'subPath'], LeafNodeText: 'works', State: 'failed', RunTime: 2e9, ...more };
}

const failed = (message: string, ...more: string[]) => report({
  Failure: { Message: message }, AdditionalFailures: more.map((text) => ({ Failure: { Message: text } })),
});

describe('the verdict about a test of Kubernetes', () => {
  const seen = { mounts: new Set(['/mnt/volume1']), logs: ["mkdir: can't create directory '/mnt/volume1/a': Operation not permitted\n"] };

  it('names the test', () => {
    assert.deepEqual(classify(report({ State: 'passed' }), nothing), { kind: 'passed', name: 'External Storage subPath works', seconds: 2 });
  });

  it('gives a reason for one that left itself out, and wants to know each', () => {
    const skipped = (message: string) => classify(report({ State: 'skipped', Failure: { Message: message } }), nothing);
    assert.equal(skipped('Driver csi.famfs.io doesn\'t support ntfs -- skipping').kind, 'skipped');
    assert.equal(skipped('Driver "csi.famfs.io" does not support RWX').kind, 'wrong');
    assert.equal(classify(report({ State: 'skipped' }), nothing).kind, 'wrong', 'never begun');
  });

  it('is "refused" where a log has the errno for a path on a volume', () => {
    const verdict = classify(failed('timed out'), seen);
    assert.equal(verdict.kind, 'refused');
    assert.match(verdict.kind === 'refused' ? verdict.words : '', /^mkdir: can't create directory/);
    assert.equal(classify(failed("stderr: dd: can't open '/mnt/volume1/f': Operation not permitted"), { ...seen, logs: [] }).kind, 'refused');
  });

  it('is "wrong" where the errno is about something else, or there is none', () => {
    assert.equal(classify(failed('timed out'), { ...seen, logs: ['touch: /etc/passwd: Operation not permitted'] }).kind, 'wrong');
    assert.equal(classify(failed('timed out'), { ...seen, logs: ['cat: /mnt/volume1/data: Input/output error'] }).kind, 'wrong');
    assert.equal(classify(failed('timed out'), { mounts: new Set(), logs: seen.logs }).kind, 'wrong');
  });

  it('is "wrong" where a test that has to pass does anything else', () => {
    assert.equal(classify(report({ State: 'passed' }), seen, true).kind, 'passed');
    assert.equal(classify(failed('timed out'), seen, true).kind, 'wrong');
    assert.equal(classify(report({ State: 'skipped', Failure: { Message: "doesn't support ntfs -- skipping" } }), seen, true).kind, 'wrong');
  });

  it('is "wrong" where more fails than follows from the refusal', () => {
    const waiting = 'while cleanup resource: persistent Volume pvc-1 not deleted by dynamic provisioner: PersistentVolume pvc-1 still exists within 45s';
    assert.equal(classify(failed('timed out', waiting), seen).kind, 'refused');
    assert.equal(classify(failed('timed out', waiting, 'the node is not ready'), seen).kind, 'wrong');
  });
});

describe('a refusal in a log', () => {
  const mounts = new Set(['/test-volume', '/vol1']);

  for (const line of [
    "sh: can't create /vol1/test-dynamicpv.sh: Operation not permitted",
    "mkdir: can't create directory '/test-volume/provisioning-1': Operation not permitted",
    'mkdir: cannot create directory ‘/vol1/x’: Operation not permitted',
    'error: open /test-volume/test-file: operation not permitted',
    "sh: can't create /vol1/data: Invalid argument",
    'ln: /test-volume/link: Operation not permitted',
  ]) {
    it(`is: ${line}`, () => assert.equal(findRefusal(`first\n  ${line}\nlast`, mounts), line));
  }

  it('is told without what quotes it', () => {
    const words = "sh: can't create /vol1/a: Operation not permitted";
    for (const line of [`I1 output.go:199] Output of node "n" pod "p" container "c": ${words}`, `I1 builder.go:156] stderr: "${words}\\n"`]) {
      assert.equal(findRefusal(line, mounts), words);
    }
  });

  for (const line of ['touch: /vol10/x: Operation not permitted', 'touch: /vol1/x: Permission denied', '/vol1/x is not permitted']) {
    it(`is not: ${line}`, () => assert.equal(findRefusal(line, mounts), undefined));
  }
});

describe('the traces of a test', () => {
  it('are its namespaces', () => {
    const steps = ['Creating pod a', 'Destroying namespace "one-1" for this suite.', 'Destroying namespace "two-2" for this suite.'];
    assert.deepEqual(namespacesOf(report({ SpecEvents: [{}, ...steps.map((Message) => ({ Message }))] })), ['one-1', 'two-2']);
  });

  it('are the commands that it runs in pods', () => {
    const line = '  I1123 00:44:43.056399   15607 exec_util.go:88] ExecWithOptions: execute(https://127.0.0.1:1/api/v1/namespaces/n-1/pods/p-2/exec' +
      '?command=%2Fbin%2Fsh&command=-c&command=touch+%2Fmnt%2Fvolume1%2Ffile1&container=write-pod&stderr=true&stdout=true)';
    assert.deepEqual(commandIn(line), { namespace: 'n-1', pod: 'p-2', command: ['/bin/sh', '-c', 'touch /mnt/volume1/file1'] });
    assert.equal(commandIn('ExecWithOptions: Clientset creation'), undefined);
  });

  it('are the mounts of claims and of ephemeral volumes, in all containers', () => {
    const volumes = [{ name: 'a', persistentVolumeClaim: { claimName: 'c' } }, { name: 'b', ephemeral: {} }, { name: 'd', emptyDir: {} }];
    const container = (...names: string[]) => ({ name: 'x', volumeMounts: names.map((name) => ({ name, mountPath: `/${name}` })) });
    assert.deepEqual(mountsOf({ spec: { volumes, initContainers: [container('a', 'd')], containers: [container('b')] } }), ['/a', '/b']);
  });
});
