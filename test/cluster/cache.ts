/** Where the cluster's programs, file trees and state are kept: nothing in it is ever needed, it only saves time. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cache } from '../harness/paths.ts';

/** The place; FAMFS_CLUSTER_CACHE puts it outside the checkout, so that fresh clones share it. */
export const clusterCache = resolve(process.env['FAMFS_CLUSTER_CACHE'] ?? join(cache, 'cluster'));

/** This directory of the checkout. */
export const sources = import.meta.dirname;

/** A short name for what is made of these texts: equal exactly when they are. */
export function keyOf(...texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${text.length}:`).update(text);
  return hash.digest('hex').slice(0, 16);
}

/** Names and contents of all files below a directory of the sources, for keys. */
export function contentsOf(...parts: string[]): string {
  const path = join(sources, ...parts);
  if (!statSync(path).isDirectory()) return `${parts.join('/')}\n${readFileSync(path, 'utf8')}`;
  return readdirSync(path).sort().map((name) => contentsOf(...parts, name)).join('\n');
}

/** Lends a fresh directory in the cache, so that finished files can be moved or linked within one file system. */
export async function withScratch<T>(use: (directory: string) => Promise<T>): Promise<T> {
  mkdirSync(clusterCache, { recursive: true });
  const directory = mkdtempSync(join(clusterCache, 'scratch-'));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
