/**
 * Debian file trees for images, made by debootstrap and kept as archives: one for the nodes, and a
 * small one as the base of the driver's image.
 */
import { createReadStream, createWriteStream, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';
import { clusterCache, keyOf, withScratch } from './cache.ts';
import { docker, imageExists } from './docker.ts';
import { run, step } from './run.ts';

const suite = 'trixie';
const mirror = process.env['FAMFS_DEBIAN_MIRROR'] ?? 'http://deb.debian.org/debian';

/** The base image of the driver's image where there is no registry. */
export const driverBase = 'famfs-base:trixie';

const driverPackages = ['mount'];

// systemd of a suite after trixie cannot boot where the host has cgroup v1.
const nodePackages = [
  'systemd', 'systemd-sysv', 'dbus', 'conntrack', 'iptables', 'nftables', 'iproute2', 'ethtool', 'mount', 'kmod',
  'libseccomp2', 'ca-certificates', 'jq', 'procps', 'e2fsprogs', 'netbase', 'containerd', 'runc',
  'containernetworking-plugins', 'busybox-static',
];

/** Where images need nothing of it: half of the tree. */
const needless = [
  'usr/share/doc', 'usr/share/man', 'usr/share/locale', 'usr/share/info', 'var/lib/apt/lists', 'var/cache/apt',
];

/** What debootstrap copies from the machine it runs on. */
const foreign = ['etc/hostname', 'etc/resolv.conf'];

/** Image of the nodes' tree, before anything of Kubernetes is in it. */
export const nodeTree = `famfs-cluster/tree:${treeKey(nodePackages)}`;

/** Makes the image of the nodes' tree known to Docker. */
export async function ensureNodeTree(): Promise<string> {
  return await ensureTree(nodeTree, nodePackages);
}

/** Makes the driver's base image known to Docker. */
export async function ensureDriverBase(): Promise<string> {
  await docker('tag', await ensureTree(`famfs-cluster/base:${treeKey(driverPackages)}`, driverPackages), driverBase);
  return driverBase;
}

/** Whether the trees can be made without debootstrap. */
export function treesCached(): boolean {
  return [nodePackages, driverPackages].every((packages) => existsSync(archiveOf(packages)));
}

/** Makes the archives of all trees, so that Docker can have them later. */
export async function ensureTreeArchives(): Promise<void> {
  for (const packages of [nodePackages, driverPackages]) await ensureArchive(packages);
}

async function ensureArchive(packages: readonly string[]): Promise<string> {
  const archive = archiveOf(packages);
  if (!existsSync(archive)) await step(`debootstrap ${suite}: ${packages.length} packages and theirs`, () => makeArchive(packages, archive));
  return archive;
}

async function ensureTree(image: string, packages: readonly string[]): Promise<string> {
  if (await imageExists(image)) return image;
  const archive = await ensureArchive(packages);
  await step(`import ${image}`, () => importArchive(archive, image));
  return image;
}

function treeKey(packages: readonly string[]): string {
  return keyOf(suite, ...packages, '--', ...needless, ...foreign);
}

function archiveOf(packages: readonly string[]): string {
  return join(clusterCache, `tree-${treeKey(packages)}.tar.zst`);
}

async function makeArchive(packages: readonly string[], archive: string): Promise<void> {
  const downloads = join(clusterCache, 'packages');
  mkdirSync(downloads, { recursive: true });
  await withScratch(async (scratch) => {
    const tree = join(scratch, 'tree');
    const options = ['--variant=minbase', `--include=${packages.join(',')}`, `--cache-dir=${downloads}`];
    await run('debootstrap', [...options, suite, tree, mirror], { idleMs: 10 * 60_000 });
    for (const path of needless) for (const name of names(join(tree, path))) {
      rmSync(join(tree, path, name), { recursive: true, force: true });
    }
    for (const path of foreign) rmSync(join(tree, path), { force: true });
    const partial = join(scratch, 'tree.tar.zst');
    const tar = spawn('tar', ['-c', '--numeric-owner', '-C', tree, '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
    await pipeline(tar.stdout, createZstdCompress(), createWriteStream(partial));
    renameSync(partial, archive);
  });
}

async function importArchive(archive: string, image: string): Promise<void> {
  const docker = spawn('docker', ['import', '-', image], { stdio: ['pipe', 'ignore', 'pipe'] });
  const said: Buffer[] = [];
  docker.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  const closed = new Promise<number | null>((resolve) => docker.on('close', resolve));
  await pipeline(createReadStream(archive), createZstdDecompress(), docker.stdin);
  if (await closed !== 0) throw new Error(`${image} cannot be imported from ${archive}: ${Buffer.concat(said).toString().trim()}`);
}

function names(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : [];
}
