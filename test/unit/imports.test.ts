/** The rules of the source tree that no compiler checks: who may import whom, sizes, no enums. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { root } from '../harness/paths.ts';

/** What every part of famfs may import: files that import nothing of ours, but for errors. */
const base = ['src/famfs/cut-text.ts', 'src/famfs/errors.ts', 'src/famfs/host.ts', 'src/famfs/module-file.ts', 'src/famfs/private-folder.ts', 'src/famfs/serial-queue.ts', 'src/famfs/units.ts', 'src/famfs/with-timeout.ts'];

const device = ['src/famfs/device', ...base];
const log = ['src/famfs/index', 'src/famfs/alloc', 'src/famfs/format', ...device];
const pool = ['src/famfs/pool', 'src/famfs/log', ...log];
const takeOver = ['src/famfs/writer/take-over', 'src/famfs/writer/claim', ...pool];

/**
 * Each room and what it may import besides itself, lowest first. The longest matching prefix names the
 * room of a file: what is allowed for a room is not allowed for a room inside it. `src/generated` holds
 * types made from proto/: whoever speaks gRPC may import them.
 */
const rules: Record<string, string[]> = {
  'src/generated': [],
  'src/famfs/cut-text.ts': [],
  'src/famfs/errors.ts': [],
  'src/famfs/host.ts': [],
  'src/famfs/module-file.ts': [],
  'src/famfs/private-folder.ts': ['src/famfs/errors.ts'],
  'src/famfs/serial-queue.ts': [],
  'src/famfs/units.ts': [],
  'src/famfs/with-timeout.ts': [],
  'src/famfs/format': ['src/famfs/errors.ts'],
  'src/famfs/device': ['src/famfs/errors.ts'],
  'src/famfs/alloc': ['src/famfs/format', 'src/famfs/errors.ts'],
  'src/famfs/index': ['src/famfs/alloc', 'src/famfs/format', ...device],
  'src/famfs/log': log,
  'src/famfs/pool': ['src/famfs/log', ...log],
  'src/famfs/writer/claim': ['src/famfs/log', 'src/famfs/format', ...device],
  'src/famfs/writer/take-over': ['src/famfs/writer/claim', ...pool],
  'src/famfs/writer': takeOver,
  'src/famfs/mkfs': ['src/famfs/writer', ...takeOver],
  'src/famfs/fsck': takeOver,
  'src/famfs/fuse/protocol': base,
  'src/famfs/fuse/mount': base,
  'src/famfs/fuse/host-state': ['src/famfs/fuse/protocol', ...device],
  'src/famfs/fuse/operations': ['src/famfs/fuse/host-state', 'src/famfs/fuse/protocol', 'src/famfs/index', ...device],
  'src/famfs/fuse/serving': ['src/famfs/fuse/operations', 'src/famfs/fuse/host-state', 'src/famfs/fuse/protocol', ...pool],
  'src/famfs/fuse/child.ts': ['src/famfs/fuse/serving'],
  'src/famfs/fuse/session': ['src/famfs/fuse/serving', 'src/famfs/fuse/mount', 'src/famfs/fuse/host-state', 'src/famfs/fuse/protocol', ...device],
  'src/csi': ['src/famfs', 'src/generated'],
  'src/csi/server': ['src/csi', 'src/famfs', 'src/generated'],
  'src/state': ['src/csi', 'src/famfs'],
  'src/kube': ['src/state', 'src/csi', 'src/famfs'],
  'src/metrics': ['src/csi', 'src/famfs/errors.ts'],
  'src/controller/layout': ['src/csi', 'src/famfs'],
  'src/controller/pools': ['src/controller/layout', 'src/metrics', 'src/csi', 'src/state', 'src/famfs'],
  'src/controller': ['src/controller/layout', 'src/controller/pools', 'src/metrics', 'src/csi', 'src/state', 'src/famfs', 'src/generated'],
  'src/node': ['src/metrics', 'src/csi', 'src/state', 'src/famfs', 'src/generated'],
  'src/fused': ['src/metrics', 'src/csi', 'src/state', 'src/famfs', 'src/generated'],
  'src/cli': ['src/controller', 'src/node', 'src/fused', 'src/metrics', 'src/csi', 'src/state', 'src/kube', 'src/famfs'],
  'src/main.ts': ['src/cli', 'src/csi/version.ts', 'src/famfs/errors.ts'],
};

/** Most files that a folder of src/famfs may hold: with more, nobody sees what it is about. */
const folderCeiling = 14;

/** Soft ceiling of a source file's lines. */
const ceiling = 300;

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('src', name))
  .sort();
const handWritten = sources.filter((file) => !file.startsWith('src/generated'));

function text(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

function part(file: string): string | undefined {
  const matching = Object.keys(rules).filter((rule) => file === rule || file.startsWith(`${rule}/`));
  return matching.sort((a, b) => b.length - a.length)[0];
}

/** The files of ours that a file names in import, export from, import() and new URL(). */
function imports(file: string, source = text(file)): string[] {
  const pattern = /(?:from|import\(|import|new URL\()\s*'(\.{1,2}\/[^']+)'/g;
  const specifiers = [...source.matchAll(pattern)].map((match) => match[1]);
  return specifiers.map((specifier) => relative(root, resolve(root, dirname(file), specifier)));
}

/** Each set of nodes that reach each other: Tarjan's strongly connected components of two nodes and more. */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (node: string): number => {
    const number = order.size;
    order.set(node, number);
    open.push(node);
    let low = number;
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (open.includes(next)) low = Math.min(low, lowest.get(next) ?? order.get(next)!);
    }
    lowest.set(node, low);
    if (low === number) {
      const circle = open.splice(open.indexOf(node));
      if (circle.length > 1) found.push(circle.sort());
    }
    return low;
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return found;
}

describe('the search for circles', () => {
  it('finds each of them once, and only what is on them', () => {
    const graph = new Map([['a', ['b', 'd']], ['b', ['c']], ['c', ['a', 'e']], ['d', ['e']], ['e', ['f']], ['f', ['e']]]);
    assert.deepEqual(circles(graph), [['e', 'f'], ['a', 'b', 'c']]);
  });
});

describe('source tree', () => {
  it('is covered by the import rules', () => {
    assert.deepEqual(sources.filter((file) => part(file) === undefined), []);
  });

  it('imports one way only', () => {
    const wrong: string[] = [];
    for (const file of handWritten) {
      const from = part(file);
      if (from === undefined) continue;
      for (const target of imports(file).filter((name) => name.startsWith('src/'))) {
        const allowed = rules[from].some((rule) => target === rule || target.startsWith(`${rule}/`));
        if (part(target) !== from && !allowed) wrong.push(`${file} imports ${target}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('has no circle of files, type imports included', () => {
    const graph = new Map(handWritten.map((file) => [file, imports(file).filter((name) => name.startsWith('src/'))]));
    assert.deepEqual(circles(graph), []);
  });

  it('has no circle of folders', () => {
    const graph = new Map<string, string[]>();
    for (const file of handWritten) {
      const from = dirname(file);
      const targets = imports(file).filter((name) => name.startsWith('src/')).map((name) => dirname(name));
      graph.set(from, [...graph.get(from) ?? [], ...targets.filter((target) => target !== from)]);
    }
    assert.deepEqual(circles(graph), []);
  });

  it(`keeps every folder of famfs within ${folderCeiling} files`, () => {
    const counts = new Map<string, number>();
    for (const file of handWritten) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
    const large = [...counts].filter(([folder, count]) => folder.startsWith('src/famfs') && count > folderCeiling);
    assert.deepEqual(large, []);
  });

  it('imports files by their full name', () => {
    const wrong = handWritten.flatMap((file) =>
      imports(file)
        .filter((name) => name.startsWith('src/') && !name.endsWith('.ts'))
        .map((name) => `${file} imports ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('lets the tools start without what only the roles need', () => {
    const heavy = /from '(?:@grpc\/.*|winston)'/;
    const code = (file: string) => text(file).replace(/^import type [^;]*;/gm, '').replace(/\bimport\('[^']*'\)/g, ''); // loaded at the start
    for (const tool of ['mkfs', 'adopt', 'fsck', 'ls', 'df', 'log', 'mkdir', 'creat', 'cp', 'rm', 'mount', 'umount']) {
      const loaded = new Set([`src/cli/${tool}.ts`]);
      for (const file of loaded) for (const target of imports(file, code(file))) loaded.add(target);
      assert.deepEqual([...loaded].filter((file) => heavy.test(code(file))), [], `famfs-csi ${tool}`);
    }
  });

  it(`keeps every file within ${ceiling} lines`, () => {
    const long = handWritten
      .map((file) => ({ file, lines: text(file).split('\n').length - 1 }))
      .filter(({ lines }) => lines > ceiling);
    assert.deepEqual(long, []);
  });

  it('has nothing that type stripping cannot run', () => {
    const pattern = /^\s*(?:export\s+)?(?:declare\s+)?(?:const\s+)?(?:enum|namespace)\s+\w/m;
    assert.deepEqual(handWritten.filter((file) => pattern.test(text(file))), []);
  });
});

describe('tests', () => {
  it('use shared memory only through the harness and the cluster, which clean it up', () => {
    const own = ['test/harness/', 'test/cluster/', 'test/run.ts', 'test/unit/imports.test.ts', 'test/unit/cluster/'];
    const users = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
      .map((name) => join('test', name))
      .filter((file) => file.endsWith('.ts') && !own.some((place) => file.startsWith(place)))
      .filter((file) => text(file).includes("'/dev/shm"));
    assert.deepEqual(users, []);
  });
});
