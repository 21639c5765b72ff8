import assert from 'node:assert/strict';
import fs from 'node:fs';
import { join } from 'node:path';
import { Notifier } from '../../../../../src/famfs/fuse/protocol/notifier.ts';
import { isAlive, pidNamespace, startTimeOf } from '../../../../../src/famfs/fuse/session/processes.ts';
import { SessionLock } from '../../../../../src/famfs/fuse/session/session-lock.ts';
import {
  supervisedRecords, unsupervisedRecords, RECORD_VERSION, removeDead, removeRecord, servedRecords, writeRecord,
} from '../../../../../src/famfs/fuse/session/session-record.ts';
import { tempDir } from '../../../../harness/temp.ts';
import { hex } from '../operations/support.ts';

describe('notifications', () => {
  function capture(epoch: boolean): { notifier: Notifier; sent: Buffer[] } {
    const sent: Buffer[] = [];
    return { sent, notifier: new Notifier(3, epoch, (_fd, message) => sent.push(Buffer.from(message)) > 0) };
  }

  it('have no unique, and their code in the place of an error', () => {
    const { notifier, sent } = capture(true);
    notifier.invalidateNames();
    notifier.invalidateNode(0x1_0000_0007);
    notifier.invalidateAttributes(9);
    assert.deepEqual(sent, [
      hex`10000000 08000000 0000000000000000`,
      hex`28000000 02000000 0000000000000000 0700000001000000 0000000000000000 0000000000000000`,
      hex`28000000 02000000 0000000000000000 0900000000000000 ffffffffffffffff 0000000000000000`,
    ]);
  });

  it('have requests resent', () => {
    const { notifier, sent } = capture(true);
    notifier.resend();
    assert.deepEqual(sent, [hex`10000000 07000000 0000000000000000`]);
  });

  it('of names are not sent to a kernel without epochs', () => {
    const { notifier, sent } = capture(false);
    notifier.invalidateNames();
    assert.deepEqual(sent, []);
  });
});

describe('session records', () => {
  const record = (hostDirectory: string) => {
    const self = { pid: process.pid, startTime: startTimeOf(process.pid)! };
    return {
      id: 'a', version: RECORD_VERSION, device: '/dev/x', directory: '/mnt', hostDirectory, readOnly: false, patienceMs: 0, poolUuid: 'u', ...self,
      pidNamespace: pidNamespace(), child: self, mount: '0:7', agreement: { minor: 45, maxWrite: 4096, epoch: true, resend: true },
      problems: [] as string[], problemCount: 0, limitations: [], bad: [],
    };
  };

  it('name the living', () => {
    const hostDirectory = tempDir('records');
    assert.deepEqual(supervisedRecords(hostDirectory), []);
    writeRecord(record(hostDirectory));
    assert.deepEqual(supervisedRecords(hostDirectory), [record(hostDirectory)]);
    removeRecord(hostDirectory, 'a');
    assert.deepEqual(supervisedRecords(hostDirectory), []);
  });

  it('of a version before have all problems in words, and are read with the first few and their number', () => {
    const hostDirectory = tempDir('records');
    const problems = Array.from({ length: 50 }, (_, k) => `problem ${k}`);
    const now = { ...record(hostDirectory), problems: [...problems.slice(0, 15), '35 more'], problemCount: 50 };
    writeRecord({ ...now, problems, problemCount: undefined } as object as typeof now);
    const [read] = supervisedRecords(hostDirectory);
    assert.deepEqual(read, now);
    writeRecord(read);
    assert.deepEqual(supervisedRecords(hostDirectory), [read], 'nothing is cut twice');
  });

  it('do not take another process with the same pid for the supervisor, here or in another container', () => {
    const hostDirectory = tempDir('records');
    for (const other of [{ startTime: 1 }, { pidNamespace: 'pid:[1]' }]) {
      const old = { ...record(hostDirectory), ...other };
      writeRecord(old);
      assert.deepEqual(supervisedRecords(hostDirectory), []);
      assert.deepEqual(unsupervisedRecords(hostDirectory), [old]);
    }
    assert.equal(isAlive({ pid: process.pid, startTime: 1 }), false);
  });

  it('of sessions that any process serves stay, those of others go with all they have left', () => {
    const hostDirectory = tempDir('records');
    const elsewhere = { ...record(hostDirectory), pidNamespace: 'pid:[1]' };
    writeRecord(elsewhere);
    const lock = new SessionLock(hostDirectory, 'a');
    assert.ok(lock.take());
    assert.ok(!new SessionLock(hostDirectory, 'a').take(), 'one has it');
    assert.deepEqual(servedRecords(hostDirectory), [elsewhere]);
    removeDead(hostDirectory);
    assert.deepEqual(servedRecords(hostDirectory), [elsewhere]);
    fs.closeSync(lock.fd);
    assert.deepEqual(servedRecords(hostDirectory), []);
    removeDead(hostDirectory);
    assert.deepEqual(fs.readdirSync(join(hostDirectory, 'sessions')), []);
  });

  it('of another version are not taken', () => {
    const hostDirectory = tempDir('records');
    writeRecord({ ...record(hostDirectory), version: RECORD_VERSION + 1 });
    assert.deepEqual([...supervisedRecords(hostDirectory), ...unsupervisedRecords(hostDirectory)], []);
  });
});
