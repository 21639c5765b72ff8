/** What a command loads: what it needs, and when it needs it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { program, root } from '../../harness/paths.ts';
import { tempDir } from '../../harness/temp.ts';
import { newPool } from '../../support/pools.ts';

/** Runs the program so that it tells, in the end, from which packages it has loaded modules. */
function packagesOf(...args: string[]): string[] {
  const told = join(tempDir('loading'), 'hook.mjs');
  writeFileSync(told, `import { registerHooks } from 'node:module';
    const found = new Set();
    registerHooks({ load: (url, context, next) => {
      const name = /\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)\\//.exec(url)?.[1];
      if (name !== undefined) found.add(name);
      return next(url, context);
    } });
    process.on('exit', () => console.log('packages: ' + JSON.stringify([...found].sort())));`);
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: `--import=${told}` } });
  const line = /^packages: (.*)$/m.exec(stdout);
  assert.ok(line, stderr);
  return JSON.parse(line[1]!) as string[];
}

/** Runs the start script of a directory of our own, whose program tells where Node.js keeps what it has compiled. */
function compileCacheOf(directory: string, env: NodeJS.ProcessEnv): string {
  return spawnSync(join(directory, 'bin/famfs-csi'), { encoding: 'utf8', env: { PATH: process.env['PATH'], ...env } }).stdout;
}

describe('a command', () => {
  for (const args of [['--help'], ['--version'], ['help', 'controller'], ['controller', '--help'], ['evict', '--help']]) {
    it(`loads nothing but the parser of arguments for ${args.join(' ')}`, () => assert.deepEqual(packagesOf(...args), ['commander']));
  }

  it('loads what shows a pool for df, and no more', async () => {
    assert.deepEqual(packagesOf('df', await newPool(2)), ['@koromix/koffi-linux-x64', 'commander', 'koffi']);
  });

  it('is compiled once: Node.js keeps the result beside the program, or where the environment says', () => {
    const directory = tempDir('program');
    for (const name of ['bin', 'dist']) mkdirSync(join(directory, name));
    copyFileSync(program, join(directory, 'bin/famfs-csi'));
    symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
    writeFileSync(join(directory, 'dist/main.js'), "process.stdout.write(require('node:module').getCompileCacheDir() ?? 'nowhere')");
    assert.ok(compileCacheOf(directory, {}).startsWith(join(directory, '.cache/compiled/')));
    assert.ok(compileCacheOf(directory, { NODE_COMPILE_CACHE: join(directory, 'elsewhere') }).startsWith(join(directory, 'elsewhere/')));
    assert.equal(compileCacheOf(directory, { NODE_DISABLE_COMPILE_CACHE: '1' }), 'nowhere');
  });
});
