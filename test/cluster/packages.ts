/**
 * Debian packages that the host needs, installed only where that was asked for. The machine's own
 * package sources stay as they are: a newer suite is read from a private list.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../harness/prerequisites.ts';
import { dockerRuns } from './docker.ts';
import { treesCached } from './rootfs.ts';
import { run, step } from './run.ts';

/** The packages that are missing; kind's own node image needs no Debian tree. */
export function missingPackages(stock = false): string[] {
  const missing: string[] = [];
  if (!dockerRuns()) {
    if (findProgram('dockerd') === undefined) missing.push('docker.io');
    if (findProgram('docker') === undefined && releaseIs('debian')) missing.push('docker-cli');
  }
  if (!stock && findProgram('debootstrap') === undefined && !treesCached()) missing.push('debootstrap');
  return missing;
}

/** Installs what is missing. */
export async function installPackages(stock = false): Promise<void> {
  const missing = missingPackages(stock);
  if (missing.length === 0) return;
  await step(`install ${missing.join(', ')}`, async () => {
    const work = mkdtempSync(join(tmpdir(), 'famfs-apt-'));
    const policy = holdServices();
    try {
      const options = olderThanTrixie() ? trixieToo(work) : [];
      await apt([...options, 'update']);
      const names = missing.map((name) => (options.length > 0 && name.startsWith('docker') ? `${name}/trixie` : name));
      await apt([...options, 'install', '-y', '--no-install-recommends', ...names]);
    } finally {
      if (policy !== undefined) rmSync(policy);
      rmSync(work, { recursive: true, force: true });
    }
  });
}

async function apt(args: readonly string[]): Promise<void> {
  await run('apt-get', ['-q', ...args], { env: { DEBIAN_FRONTEND: 'noninteractive' } });
}

/** Docker of bookworm cannot start privileged containers everywhere; that of trixie runs on it. */
function olderThanTrixie(): boolean {
  return releaseIs('debian') && Number(/^VERSION_ID="?(\d+)/m.exec(release())?.[1] ?? 99) < 13;
}

function releaseIs(id: string): boolean {
  return new RegExp(`^ID=${id}$`, 'm').test(release());
}

function release(): string {
  return existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
}

/** apt options for the machine's sources plus trixie, from which only packages asked for by suite come. */
function trixieToo(work: string): string[] {
  const folders = { SourceParts: 'sources.list.d', PreferencesParts: 'preferences.d' };
  for (const name of Object.values(folders)) {
    mkdirSync(join(work, name), { recursive: true });
    const from = join('/etc/apt', name);
    for (const file of existsSync(from) ? readdirSync(from) : []) copyFileSync(join(from, file), join(work, name, file));
  }
  mkdirSync(join(work, 'lists/partial'), { recursive: true });
  const source = {
    Types: 'deb', URIs: 'http://deb.debian.org/debian', Suites: 'trixie', Components: 'main',
    'Signed-By': '/usr/share/keyrings/debian-archive-keyring.gpg',
  };
  const text = Object.entries(source).map(([key, value]) => `${key}: ${value}\n`).join('');
  writeFileSync(join(work, folders.SourceParts, 'trixie.sources'), text);
  writeFileSync(join(work, folders.PreferencesParts, 'trixie'), 'Package: *\nPin: release n=trixie\nPin-Priority: 100\n');
  const settings = {
    ...Object.fromEntries(Object.entries(folders).map(([key, name]) => [`Dir::Etc::${key}`, join(work, name)])),
    'Dir::State::Lists': join(work, 'lists'),
    'Dir::Cache::PkgCache': '',
    'Dir::Cache::SrcPkgCache': '',
  };
  return Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}

/** Where no init runs, a package that starts its service would fail; gives the file to remove afterwards. */
function holdServices(): string | undefined {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync('/run/systemd/system') || existsSync(policy)) return undefined;
  writeFileSync(policy, '#!/bin/sh\nexit 101\n');
  chmodSync(policy, 0o755);
  return policy;
}
