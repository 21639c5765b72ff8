import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { openDevice } from '../../src/famfs/device/open.ts';
import { recordOffset } from '../../src/famfs/format/claim-record.ts';
import { EntryLayout } from '../../src/famfs/format/entry-layout.ts';
import { entryOffset, LogHeader } from '../../src/famfs/format/log-header.ts';
import { fsck } from '../../src/famfs/fsck/fsck.ts';
import { indexOf } from '../../src/famfs/index/index-store.ts';
import { describeProblem } from '../../src/famfs/log/problem.ts';
import type { Random } from '../fuzz/random.ts';
import { createVolume, deleteVolume, refused } from '../support/csi-requests.ts';
import { until } from '../support/until.ts';
import { Victims } from './hostile.ts';
import { POOL, UNIT } from './site.ts';

interface Damage {
  readonly name: string;
  readonly at: number;
  /** How fsck and the controller name it. */
  readonly named: RegExp;
  /** The superblock is what the hosts look at too. */
  readonly seenByHosts?: true;
}

const LOG = 0x200000;
const NONSENSE = Buffer.from('nonsense');

/**
 * Damages a pool in one place after the other, for as long as it takes until everybody has named it:
 * the controller's log and metrics, and fsck. When it is right again, all is well. Throws AssertionError.
 */
export async function expectNames(random: Random): Promise<void> {
  await Victims.use(random, async (victims) => {
    const { site, controller } = victims;
    const device = openDevice(site.device);
    const metadata = Buffer.from(device.superblock.bytes.buffer, device.superblock.bytes.byteOffset, LOG + LogHeader.minimumLogLength);
    const entry = site.read((pool) => indexOf(pool.stat('earlier-0/data')!.node));
    const damages: Damage[] = [
      { name: 'an entry', at: LOG + entryOffset(entry) + EntryLayout.payload + 100, named: new RegExp(`log entry ${entry}: its CRC is`) },
      { name: 'the superblock', at: 0, named: /superblock: magic is/, seenByHosts: true },
      { name: 'the log header', at: LOG, named: /log header: magic is/ },
    ];
    try {
      for (const damage of damages) {
        const before = Buffer.from(metadata.subarray(damage.at, damage.at + NONSENSE.length));
        metadata.set(NONSENSE, damage.at);
        await expectNamed(victims, damage);
        metadata.set(before, damage.at);
        await expectWell(victims, damage.name);
      }
      await expectClaimNamed(victims, metadata);
      await expectCountersRestored(victims, metadata);
    } finally {
      device.close();
    }
    victims.mustLive();
    assert.equal(controller.hasEnded, false);
  });
}

const health = ({ controller }: Victims, state: string) => controller.metric(`famfs_pool_health{pool="${POOL}",state="${state}"}`);
const create = ({ controller }: Victims) => createVolume(controller.client, 'another', { capacity_range: { required_bytes: UNIT } });

function found({ site }: Victims): { status: number; text: string } {
  const { status: code, failure = '', problems } = fsck(site.device);
  return { status: code, text: [failure, ...problems.map(describeProblem)].join('\n') };
}

async function expectNamed(victims: Victims, { name, named, seenByHosts }: Damage): Promise<void> {
  await until(async () => assert.equal(await health(victims, 'damaged'), 1, name));
  await until(() => { // what it logs comes through a pipe
    const { log } = victims.controller;
    assert.match(log.slice(log.lastIndexOf('PoolDamaged') - 1000), named);
  });
  await refused(create(victims), status.UNAVAILABLE, named);
  const { status: code, text } = found(victims);
  assert.equal(code, 1, name);
  assert.match(text, named);
  for (const host of seenByHosts ? victims.hosts : []) {
    await until(async () => assert.equal(await host.metric(`famfs_session_problems{pool="${POOL}"}`), 1, host.name));
  }
}

async function expectWell(victims: Victims, name: string): Promise<void> {
  await until(async () => assert.equal(await health(victims, 'ok'), 1, name));
  const { volume_id: id } = await until(() => create(victims));
  await deleteVolume(victims.controller.client, id);
}

/** A controller whose claim was written over has lost the pool, says so, and takes it anew. */
async function expectClaimNamed(victims: Victims, metadata: Buffer): Promise<void> {
  const { site, controller } = victims;
  const { epoch } = site.read((pool) => pool.replayer.ring.ruling()!.head);
  metadata.set(NONSENSE, recordOffset(epoch) + 40);
  await until(() => assert.match(controller.log, /"claim lost".*rules now/));
  assert.match(found(victims).text, /claim: record \d+ has no valid head/);
  await expectWell(victims, 'the claim');
}

/** Counters that were written over are right again with the next heartbeat; until then, fsck names them. */
async function expectCountersRestored(victims: Victims, metadata: Buffer): Promise<void> {
  const at = LOG + LogHeader.nextIndexOffset;
  await until(() => {
    metadata.set(NONSENSE, at);
    assert.match(found(victims).text, /log header: next_index is \d+; the log has/);
  });
  await until(() => assert.doesNotMatch(found(victims).text, /next_index/));
  await expectWell(victims, 'the counters');
}
