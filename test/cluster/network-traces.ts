/** What a Docker daemon leaves in the host's network when it stops: noted before, removed at the end. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../harness/prerequisites.ts';
import { clusterCache } from './cache.ts';
import { run } from './run.ts';

const families = ['iptables', 'ip6tables'] as const;
const notes = join(clusterCache, 'host-network.json');

/** The host's network as it was. */
interface Network {
  interfaces: string[];
  /** What iptables-save and ip6tables-save printed. */
  rules: Partial<Record<(typeof families)[number], string>>;
}

/** Chains that are in a table whether or not anybody uses it. */
const builtin: Record<string, readonly string[]> = {
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  raw: ['PREROUTING', 'OUTPUT'],
};

/** Notes the state before a daemon starts, unless an earlier one's traces are still there. */
export function rememberNetwork(): void {
  if (existsSync(notes)) return;
  const network: Network = { interfaces: readdirSync('/sys/class/net'), rules: {} };
  for (const family of families) network.rules[family] = savedRules(family);
  writeFileSync(notes, JSON.stringify(network));
}

/** Removes bridges and firewall rules that were not there before the daemon. */
export async function restoreNetwork(): Promise<void> {
  if (!existsSync(notes)) return;
  const before = JSON.parse(readFileSync(notes, 'utf8')) as Network;
  for (const name of readdirSync('/sys/class/net')) {
    const isBridge = existsSync(join('/sys/class/net', name, 'bridge'));
    if (isBridge && !before.interfaces.includes(name)) await run('ip', ['link', 'delete', name]);
  }
  for (const family of families) {
    const input = formerRules(before.rules[family] ?? '', savedRules(family));
    const program = findProgram(`${family}-restore`);
    if (program !== undefined && input !== '') await run(program, [], { input });
  }
  rmSync(notes);
}

/** Input for iptables-restore: the former content of every table that is there now. */
export function formerRules(before: string, now: string): string {
  const former = tablesOf(before);
  return [...tablesOf(now).keys()].map((table) => former.get(table) ?? emptyTable(table)).join('');
}

function emptyTable(table: string): string {
  const chains = (builtin[table] ?? []).map((chain) => `:${chain} ACCEPT [0:0]\n`).join('');
  return `*${table}\n${chains}COMMIT\n`;
}

function tablesOf(rules: string): Map<string, string> {
  const tables = [...rules.matchAll(/^\*(\w+)\n[^]*?^COMMIT\n/gm)];
  return new Map(tables.map(([text, name]) => [name, text]));
}

function savedRules(family: string): string {
  const program = findProgram(`${family}-save`);
  return program === undefined ? '' : spawnSync(program, { encoding: 'utf8' }).stdout;
}
