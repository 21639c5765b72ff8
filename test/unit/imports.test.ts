/** The rules of the source tree that no compiler checks: who may import whom, sizes, no enums. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { root } from '../harness/paths.ts';

/** Files of famfs that import nothing of ours and serve its upper parts. */
const small = ['src/famfs/errors.ts', 'src/famfs/host.ts'];

/**
 * Each part and what it may import besides itself, with everything below. The longest matching
 * prefix names the part of a file. `src/generated` holds types made from proto/: whoever speaks
 * gRPC may import them.
 */
const rules: Record<string, string[]> = {
  'src/main.ts': ['src/cli'],
  'src/cli': ['src/controller', 'src/node', 'src/fused', 'src/metrics', 'src/csi', 'src/state', 'src/kube', 'src/famfs'],
  'src/controller': ['src/metrics', 'src/csi', 'src/state', 'src/kube', 'src/famfs', 'src/generated'],
  'src/node': ['src/metrics', 'src/csi', 'src/state', 'src/famfs', 'src/generated'],
  'src/fused': ['src/metrics', 'src/csi', 'src/state', 'src/famfs', 'src/generated'],
  'src/metrics': ['src/csi'],
  'src/csi': ['src/famfs', 'src/generated'],
  'src/state': ['src/csi', 'src/famfs'],
  'src/kube': ['src/state', 'src/csi', 'src/famfs'],
  'src/generated': [],
  'src/famfs': ['src/famfs'],
  'src/famfs/fuse': ['src/famfs/log', 'src/famfs/device', 'src/famfs/format', ...small],
  'src/famfs/log': ['src/famfs/alloc', 'src/famfs/device', 'src/famfs/format', ...small],
  'src/famfs/alloc': ['src/famfs/format', 'src/famfs/errors.ts'],
  'src/famfs/device': ['src/famfs/errors.ts'],
  'src/famfs/format': ['src/famfs/errors.ts'],
  'src/famfs/host.ts': [],
  'src/famfs/errors.ts': [],
};

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
    const code = (file: string) => text(file).replace(/^import type [^;]*;/gm, '');
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
