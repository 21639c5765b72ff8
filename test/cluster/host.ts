/**
 * What the machine itself must offer: a Docker daemon and a few kernel settings. A daemon that runs
 * already is used; else one is started on a data directory in the cache and stopped at the end.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../harness/prerequisites.ts';
import { untilSo } from '../support/until.ts';
import { clusterCache } from './cache.ts';
import { docker, dockerRuns } from './docker.ts';
import { rememberNetwork, restoreNetwork } from './network-traces.ts';
import { installPackages, missingPackages } from './packages.ts';
import { step } from './run.ts';
import { getSysctl, rememberSysctls, restoreSysctls, setSysctl } from './sysctls.ts';

const daemon = join(clusterCache, 'docker');
const pidFile = join(daemon, 'pid');

/** The fewest inotify instances with which the daemons of three nodes on one kernel start. */
const inotifyInstances = 512;

/** How the host may be prepared. */
export interface HostOptions {
  /** Whether Debian packages may be installed. */
  install?: boolean;
  /** Whether the cluster will use kind's own node image. */
  stock?: boolean;
}

/** Makes the host able to run a cluster: packages (where allowed), kernel settings, Docker. */
export async function ensureHost(options: HostOptions = {}): Promise<void> {
  if (options.install) await installPackages(options.stock);
  const missing = missingPackages(options.stock);
  if (missing.length > 0) throw new Error(`not installed: ${missing.join(', ')} (--install installs them)`);
  rememberSysctls();
  if (Number(getSysctl('fs.inotify.max_user_instances')) < inotifyInstances) {
    setSysctl('fs.inotify.max_user_instances', String(inotifyInstances));
  }
  // Mounted into the nodes by kind, wherever it exists or not.
  mkdirSync('/lib/modules', { recursive: true });
  if (!dockerRuns()) await step('start Docker', startDocker);
}

/** Undoes ensureHost: stops Docker if it was started here, and restores the kernel's settings. */
export async function releaseHost(): Promise<void> {
  const pid = ownDaemon();
  if (pid !== undefined) await step('stop Docker', () => stopDocker(pid));
  restoreSysctls();
}

async function startDocker(): Promise<void> {
  mkdirSync(daemon, { recursive: true });
  const program = findProgram('dockerd');
  if (program === undefined) throw new Error('no Docker daemon answers, and dockerd is not installed');
  rememberNetwork();
  const log = openSync(join(daemon, 'log'), 'a');
  const child = spawn(program, [
    '--data-root', join(daemon, 'data'),
    '--exec-root', '/run/famfs-cluster/docker',
    '--pidfile', pidFile,
    '--host', 'unix:///var/run/docker.sock',
    // Not a process of the test run that starts it, nor in its directory: it may stay for the next one.
  ], { detached: true, stdio: ['ignore', log, log], env: { ...process.env, FAMFS_TEST_RUN: '', TMPDIR: '/tmp' } });
  closeSync(log);
  let exited = false;
  child.on('exit', () => { exited = true; });
  await untilSo('dockerd answers', dockerRuns, {
    hopeless: () => (exited ? 'dockerd has ended' : undefined), describe: () => `the end of ${daemon}/log:\n${tail(join(daemon, 'log'))}`,
  });
  child.unref();
  // kind would make this network itself, but wants IPv6 for it, which not every kernel has.
  if ((await docker('network', 'ls', '--quiet', '--filter', 'name=^kind$')).trim() === '') {
    await docker('network', 'create', 'kind');
  }
}

/** Waits until the daemon is gone: its containers end with it. */
async function stopDocker(pid: number): Promise<void> {
  // Nobody but us uses this daemon: what has no name any more is an older build's.
  if (dockerRuns()) await docker('image', 'prune', '--force');
  process.kill(pid, 'SIGTERM');
  await untilSo(`dockerd (pid ${pid}) ends`, () => ownDaemon() === undefined);
  await restoreNetwork();
}

/** The process of the daemon that was started here, while it runs. */
function ownDaemon(): number | undefined {
  if (!existsSync(pidFile)) return undefined;
  const pid = Number(readFileSync(pidFile, 'utf8'));
  const command = existsSync(`/proc/${pid}/cmdline`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '';
  return command.includes(pidFile) ? pid : undefined;
}

function tail(path: string): string {
  return readFileSync(path, 'utf8').split('\n').slice(-15).join('\n');
}
