/** Memory of deleted volumes, between two guests of which one is switched off while it uses the pool. */
import assert from 'node:assert/strict';
import { program } from '../harness/paths.ts';
import type { GuestHost } from './host.ts';
import { describeOnGuests, device } from './rack.ts';
import { call, createVolume, logOf, mustCall, startRole, untilOnGuests, volumeRequest } from './roles.ts';

/** More than half of the pool, so that a second such volume needs the memory of the first. */
const large = 64 << 20;
const secret = 'what an earlier volume held';

/** Bytes of deleted volumes, as a host sees them. */
async function quarantined(host: GuestHost): Promise<number> {
  const usage = JSON.parse(await host.must(`${program} df --json ${device}`)) as { quarantinedBytes: number };
  return usage.quarantinedBytes;
}

const bootIdOf = (host: GuestHost): Promise<string> => host.must('cat /proc/sys/kernel/random/boot_id');

/** Lets a host use the pool; answers where it is mounted. */
async function join(host: GuestHost, uuid: string): Promise<string> {
  await startRole(host, 'fused');
  const { path } = await mustCall(host, 'Fused', 'ensureSession', { pool_uuid: uuid });
  return path as string;
}

/** Fills a file, from one host; another one reads it. */
async function writeSecret(writer: GuestHost, reader: GuestHost, file: string): Promise<void> {
  await writer.must(`yes '${secret}' | dd of=${file} bs=1M count=${large >> 20} iflag=fullblock conv=notrunc status=none`);
  assert.equal(await reader.must(`head -n 1 ${file}`), secret);
}

/** Waits until the controller has given memory back so often; then nothing is in quarantine. */
async function untilGivenBack(host: GuestHost, times: number): Promise<void> {
  await untilOnGuests(async () => assert.equal(Number(await host.must(`grep -c 'memory given back' ${logOf('controller')} || true`)), times));
  assert.equal(await quarantined(host), 0);
}

const readsZero = (host: GuestHost, file: string): Promise<string> => host.must(`dd if=${file} bs=1M status=none | cmp -n ${large} - /dev/zero`);

describeOnGuests('the memory of a deleted volume', {
  'is back when both guests know; waits for one that is switched off; is back, as zeros, when that has booted again': async (rack) => {
    const [a, b] = await rack.bootPair();
    await startRole(b, 'controller');
    const first = await createVolume(b, 'first', large);
    const [uuid] = first.split('/');
    const [path] = await Promise.all([join(a, uuid), join(b, uuid)]);
    await writeSecret(a, b, `${path}/first/data`);
    await mustCall(b, 'Controller', 'deleteVolume', { volume_id: first });
    await untilGivenBack(b, 1);

    const second = await createVolume(b, 'second', large);
    await readsZero(a, `${path}/second/data`);
    await writeSecret(a, b, `${path}/second/data`);
    const bootId = await bootIdOf(a);
    await rack.powerOff(a);
    await mustCall(b, 'Controller', 'deleteVolume', { volume_id: second });
    const log = await untilOnGuests(() => b.must(`grep PoolMemoryHeld ${logOf('controller')}`));
    assert.match(log, /wait for a, which may have them mapped/);
    assert.equal(await quarantined(b), large);
    const refused = await call(b, 'Controller', 'createVolume', volumeRequest('third', large));
    assert.match(refused.output, /^RESOURCE_EXHAUSTED: /);

    const again = await rack.boot('a');
    assert.notEqual(await bootIdOf(again), bootId);
    const pathAgain = await join(again, uuid);
    await untilGivenBack(b, 2);
    await createVolume(b, 'third', large);
    await Promise.all([readsZero(again, `${pathAgain}/third/data`), readsZero(b, `${pathAgain}/third/data`)]);
    await b.must(`${program} fsck ${device}`);
  },
});
