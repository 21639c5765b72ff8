/** The device layer and the command-line program on a real /dev/dax0.0, in virtual machines. */
import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { program, root } from '../harness/paths.ts';
import { remove, shmFile } from '../harness/temp.ts';
import { runInGuest } from './guest.ts';
import { labelArea } from './machine.ts';
import { devdax, parseSteps, prelude, type Step } from './steps.ts';

const capacity = 256 << 20;
/** Guests are emulated, some twenty times slower than the machine, which may be busy besides. */
const limitMs = 1_200_000;

/** Shared memory for guests: sparse, so that it costs what is written. */
function memory(): string {
  const path = shmFile('memory');
  const fd = openSync(path, 'w');
  ftruncateSync(fd, capacity + labelArea);
  closeSync(fd);
  return path;
}

/** Boots one guest on the memory and returns the steps of its script. */
async function guest(memoryFile: string, script: string): Promise<Map<string, Step>> {
  const { exitCode, output, console } = await runInGuest({
    memoryFile,
    memorySize: capacity + labelArea,
    script: `${prelude}\n${devdax}\n${script}`,
    limitMs,
  });
  assert.notEqual(exitCode, undefined, `the guest did not finish its script:\n${console}`);
  return parseSteps(output);
}

/** A step that must have succeeded; returns what it printed. */
function done(steps: Map<string, Step>, name: string): string {
  const step = steps.get(name);
  assert.ok(step, `step ${name} did not run; there are ${[...steps.keys()].join(', ')}`);
  assert.equal(step.exitCode, 0, `${name}: ${step.output}`);
  return step.output;
}

/** A step that opens the device with the checkout's library and runs some code on it. */
function inNode(code: string): string {
  return `cat > /tmp/code.mjs <<'END'
import { openDevice } from '${root}/src/famfs/device/open.ts';
const device = openDevice('/dev/dax0.0');
const extent = device.view(64 << 20, 4 << 20);
${code}
device.close();
END
step node ${root}/node_modules/.bin/node /tmp/code.mjs`;
}

describe('a real /dev/dax device', function () {
  this.timeout(limitMs + 30_000);
  this.retries(4); // the emulated processor crashes a program now and then; each attempt has fresh memory
  let memoryFile: string;

  beforeEach(() => {
    memoryFile = memory();
  });
  afterEach(() => {
    remove(dirname(memoryFile));
  });

  it('is mapped by the device layer, and two hosts see the same bytes', async () => {
    const first = await guest(
      memoryFile,
      inNode(`extent.set(Buffer.from('from one host'), 12293);
        console.log(device.kind, device.size, device.alignment);`),
    );
    assert.equal(done(first, 'node'), `devdax ${254 << 20} ${2 << 20}`);
    const second = await guest(
      memoryFile,
      inNode('console.log(Buffer.from(extent.subarray(12293, 12306)).toString());'),
    );
    assert.ok(!second.has('namespace'), 'the second guest must find the namespace of the first');
    assert.equal(done(second, 'node'), 'from one host');
  });

  it('refuses to mount a device that is not formatted, which can be formatted afterwards', async () => {
    const steps = await guest(
      memoryFile,
      `f=${program}; mkdir /tmp/m
       step mount $f mount /dev/dax0.0 /tmp/m
       step mkfs $f mkfs /dev/dax0.0 --state-dir /tmp/state`,
    );
    const { exitCode, output } = steps.get('mount')!;
    assert.equal(exitCode, 1, output);
    assert.match(output, /^famfs-csi: \/dev\/dax0\.0: superblock: magic is 0x0, not /);
    done(steps, 'mkfs');
  });

  it('holds a pool: mkfs, creat, mount, write, read back, also when the serving process was killed, fsck, umount', async () => {
    const steps = await guest(
      memoryFile,
      `f=${program}; s='--state-dir /tmp/state'; mkdir /tmp/m
       step mkfs $f mkfs /dev/dax0.0 $s
       step creat $f creat /dev/dax0.0 data 4MiB $s
       step mount $f mount /dev/dax0.0 /tmp/m
       step stat stat -c '%F %s' /tmp/m/data
       step write bash -c 'printf "kept in memory" | dd of=/tmp/m/data conv=notrunc bs=1 seek=3000000 status=none'
       step read bash -c 'dd if=/tmp/m/data bs=1 skip=3000000 count=14 status=none'
       child=$(grep -o '"child":{"pid":[0-9]*' /run/famfs-csi/sessions/*.json | tr -dc 0-9)
       step survive bash -c "exec 3</tmp/m/data; kill -9 $child; dd bs=1 skip=3000000 count=14 status=none <&3"
       step replaced bash -c "! grep -q '\"pid\":$child,' /run/famfs-csi/sessions/*.json"
       step umount $f umount /tmp/m
       step unmounted bash -c '! grep -q famfs /proc/self/mountinfo'
       step fsck $f fsck /dev/dax0.0
       step ls $f ls /dev/dax0.0 --json`,
    );
    for (const name of ['mkfs', 'creat', 'mount', 'write', 'replaced', 'umount', 'unmounted', 'fsck']) {
      done(steps, name);
    }
    assert.equal(done(steps, 'stat'), `regular file ${4 << 20}`);
    for (const name of ['read', 'survive']) assert.equal(done(steps, name), 'kept in memory');
    assert.match(done(steps, 'ls'), /"data"/);
  });

  it('is served on by another supervisor when all processes of a session were killed, since the driver holds it too', async () => {
    const steps = await guest(
      memoryFile,
      `f=${program}; s='--state-dir /tmp/state'; run=/run/famfs-csi
       $f mkfs /dev/dax0.0 $s > /tmp/made
       pool=$(grep -o '[0-9a-f-]\\{36\\}' /tmp/made)
       step creat $f creat /dev/dax0.0 data 4MiB $s
       $f all --pool memory=/dev/dax0.0 $s --node-id here > /tmp/all.log 2>&1 & all=$!
       for k in $(seq 300); do [ -S $run/fused.sock ] && break; sleep 0.2; done
       step ensure ${root}/node_modules/.bin/node ${root}/test/vm/inside/call.ts $run/fused.sock Fused ensureSession "{\\"pool_uuid\\":\\"$pool\\"}"
       file=$run/mounts/$pool/data
       step write bash -c "printf 'kept in memory' | dd of=$file conv=notrunc bs=1 seek=3000000 status=none"
       pids() { sed 's/.*"bad":\\[\\],"pid":\\([0-9]*\\),.*"child":{"pid":\\([0-9]*\\).*/\\1 \\2/' $run/sessions/*.json; }
       before=$(pids)
       step survive bash -c "exec 3<$file; kill -9 $before; dd bs=1 skip=3000000 count=14 status=none <&3"
       step replaced test "$before" != "$(pids)"
       step log bash -c 'for k in $(seq 300); do grep "session continued" /tmp/all.log && exit; sleep 0.2; done; cat /tmp/all.log; exit 1'
       kill $all; wait $all
       step unmounted bash -c '! grep -q famfs /proc/self/mountinfo'
       step fsck $f fsck /dev/dax0.0`,
    );
    for (const name of ['creat', 'ensure', 'write', 'replaced', 'log', 'unmounted', 'fsck']) done(steps, name);
    assert.equal(done(steps, 'survive'), 'kept in memory');
  });
});
