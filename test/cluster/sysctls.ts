/** Kernel settings of the host that Docker, the kubelets or we change: noted before, restored at the end. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { clusterCache } from './cache.ts';

const changed = [
  'fs.inotify.max_user_instances', 'kernel.panic', 'kernel.panic_on_oops', 'vm.overcommit_memory', 'vm.panic_on_oom',
  'net.ipv4.ip_forward',
];

const notes = join(clusterCache, 'sysctls.json');

/** Notes the settings as they are, unless an earlier run noted them and has not restored them yet. */
export function rememberSysctls(): void {
  if (existsSync(notes)) return;
  mkdirSync(dirname(notes), { recursive: true });
  const values = changed.filter((name) => existsSync(pathOf(name))).map((name) => [name, getSysctl(name)]);
  writeFileSync(notes, JSON.stringify(Object.fromEntries(values)));
}

/** Puts the noted settings back. */
export function restoreSysctls(): void {
  if (!existsSync(notes)) return;
  const values = JSON.parse(readFileSync(notes, 'utf8')) as Record<string, string>;
  for (const [name, value] of Object.entries(values)) {
    if (getSysctl(name) !== value) setSysctl(name, value);
  }
  rmSync(notes);
}

/** A setting's value. */
export function getSysctl(name: string): string {
  return readFileSync(pathOf(name), 'utf8').trim();
}

/** Changes a setting. */
export function setSysctl(name: string, value: string): void {
  writeFileSync(pathOf(name), value);
}

function pathOf(name: string): string {
  return join('/proc/sys', name.replaceAll('.', '/'));
}
