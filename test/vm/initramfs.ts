/**
 * The guests' first file system: busybox, the dax drivers and an /init that puts the machine's own
 * root under everything and runs one script in it.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../harness/paths.ts';
import { findProgram } from '../harness/prerequisites.ts';
import type { Kernel } from './kernel.ts';

/** In the order of insertion: each needs those before it. */
const drivers = [
  'nvdimm/libnvdimm',
  'nvdimm/nd_btt',
  'nvdimm/nd_pmem',
  'dax/device_dax',
  'dax/dax_pmem',
  'acpi/nfit/nfit',
];

/** Lines that the guest says on its console; everything between Begin and End is the script's. */
export const Marker = { Begin: 'guest-script-begins', End: 'guest-script-ended' } as const;

const init = `#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sysfs /sys
$b mount -t devtmpfs devtmpfs /dev
for driver in ${drivers.map((driver) => driver.replace(/.*\//, '')).join(' ')}; do
  $b insmod /drivers/$driver.ko || echo "cannot insert $driver"
done
$b mount -t virtiofs -o ro rootfs /host || $b poweroff -f
# The checkout may itself lie below /tmp: keep it in sight.
$b mount --bind /host${root} /checkout
for place in tmp run; do $b mount -t tmpfs tmpfs /host/$place; done
[ -d /host${root} ] || { $b mkdir -p /host${root} && $b mount --move /checkout /host${root}; }
$b mount --move /proc /host/proc
$b mount --move /sys /host/sys
$b mount --move /dev /host/dev
$b mkdir -p /host/dev/shm && $b mount -t tmpfs tmpfs /host/dev/shm
$b cp /script /host/tmp/script
echo ${Marker.Begin}
$b chroot /host /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \\
  TERM=dumb /bin/bash /tmp/script </host/dev/null 2>&1
echo "${Marker.End} $?"
$b poweroff -f
`;

/** Builds the archive in `work` and returns its path; `script` is what bash runs in the guest. */
export function buildInitramfs(kernel: Kernel, script: string, work: string): string {
  const tree = join(work, 'initramfs');
  for (const folder of ['bin', 'checkout', 'drivers', 'dev', 'host', 'proc', 'sys']) {
    mkdirSync(join(tree, folder), { recursive: true });
  }
  copyFileSync(required('busybox'), join(tree, 'bin/busybox'));
  for (const driver of drivers) {
    const packed = join(kernel.modules, 'kernel/drivers', `${driver}.ko.xz`);
    const name = driver.replace(/.*\//, '');
    writeFileSync(join(tree, 'drivers', `${name}.ko`), output('xz', ['-dc', packed]));
  }
  writeFileSync(join(tree, 'init'), init, { mode: 0o755 });
  writeFileSync(join(tree, 'script'), script);
  const archive = join(work, 'initramfs.cpio');
  const names = output('find', ['.'], tree);
  writeFileSync(archive, output('cpio', ['--quiet', '-o', '-H', 'newc'], tree, names));
  return archive;
}

function required(program: string): string {
  const path = findProgram(program);
  if (!path) throw new Error(`${program} is not installed`);
  return path;
}

function output(program: string, args: string[], cwd?: string, input?: Buffer): Buffer {
  const result = spawnSync(program, args, {
    maxBuffer: 1 << 28,
    ...(cwd === undefined ? {} : { cwd }),
    ...(input === undefined ? {} : { input }),
  });
  if (result.error) throw result.error;
  if (result.status !== 0) throw new Error(`${program} failed: ${result.stderr.toString()}`);
  return result.stdout;
}
