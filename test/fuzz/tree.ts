import assert from 'node:assert/strict';
import { type IndexView, Liveness } from '../../src/famfs/index/index-view.ts';
import type { Problem } from '../../src/famfs/log/problem.ts';
import type { OracleNode, OracleProblem } from '../oracle/replay.ts';

/** What both replays say of a file or directory. */
type Node = Omit<OracleNode, 'name'> & { readonly name: Uint8Array };

/**
 * Reads the tree that an index describes, from the root, as a reader of it would. Throws
 * AssertionError when its links do not lead through it in ascending order, or name lookups miss.
 */
export function readTree(view: IndexView, limit: number, lookUp: boolean): Node[] {
  const nodes: Node[] = [];
  const open = [1];
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    let before = 0;
    for (let node = view.firstChild(directory); node !== 0; node = view.nextSibling(node)) {
      assert(node > before, `children of ${directory} are not in ascending order`);
      assert(nodes.length < limit, 'the tree has more nodes than the log has entries');
      before = node;
      if (view.liveness(node) !== Liveness.Live) continue;
      const name = view.name(node);
      if (lookUp) assert.equal(view.lookup(directory, name), node);
      const isDirectory = view.isDirectory(node);
      if (isDirectory) open.push(node);
      nodes.push({
        node, parent: directory, name, directory: isDirectory, size: view.size(node), mode: view.mode(node),
        uid: view.uid(node), gid: view.gid(node), chunk: isDirectory ? 0 : view.interleave(node)?.chunkSize ?? 0,
        extents: view.extents(node),
      });
    }
  }
  return nodes;
}

export function oracleTree(nodes: readonly OracleNode[]): Node[] {
  return nodes.map((node) => ({ ...node, name: Buffer.from(node.name, 'latin1') }));
}

/** A sum of a tree in 53 bits: the same for the same nodes in any order. */
export function treeSum(nodes: readonly Node[]): number {
  let sum = nodes.length;
  for (const node of nodes) {
    let hash = mix(mix(node.node, node.parent), node.directory ? 1 : 0);
    hash = mixWide(mix(mix(mix(hash, node.mode), node.uid), node.gid), node.size);
    hash = mixWide(hash, node.chunk);
    for (const byte of node.name) hash = mix(hash, byte);
    for (const { start, end } of node.extents) hash = mixWide(mixWide(hash, start), end);
    sum = (sum + (hash >>> 0) * (1 + (hash & 0xffff))) % 2 ** 52;
  }
  return sum;
}

/** The same tree in words, for a failure's message. */
export function treeText(nodes: readonly Node[]): string {
  return [...nodes].sort((a, b) => a.node - b.node).map(({ name, extents, ...rest }) => (
    `${JSON.stringify({ ...rest, name: Buffer.from(name).toString('latin1') })} ${extents.map(({ start, end }) => `${start}-${end}`).join(' ')}`
  )).join('\n');
}

/** What a replay is given whose problems are all compared. */
export const ALL_NAMED = { namedMax: Infinity } as const;

/** Problems as a set: where and how bad, once each. */
export function problemKey(problems: readonly (Problem | OracleProblem)[]): string {
  if (problems.length === 0) return '';
  return [...new Set(problems.map(({ place, index, severity }) => `${place} ${index ?? ''} ${severity}`))].sort().join('; ');
}

function mix(hash: number, word: number): number {
  let mixed = Math.imul(hash ^ word, 0x9e3779b1);
  mixed ^= mixed >>> 15;
  return Math.imul(mixed, 0x85ebca6b) ^ (mixed >>> 13);
}

function mixWide(hash: number, value: number): number {
  return mix(mix(hash, value | 0), (value / 0x100000000) | 0);
}
