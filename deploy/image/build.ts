/**
 * npm run image: builds the image of all roles.
 *
 *     npm run image                                    famfs-csi:VERSION from debian:trixie-slim
 *     npm run image -- --base my/debian --tag reg/famfs-csi:1
 *     npm run image -- --platform-check                only says whether it could be built here
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { formatBytes } from '../../src/csi/bytes.ts';
import { messageOf } from '../../src/famfs/errors.ts';
import { root } from '../../test/harness/paths.ts';
import { buildImage, checkPlatform } from './docker.ts';
import { run } from './run.ts';
import { withStage } from './stage.ts';

interface ImageOptions {
  readonly base: string;
  readonly tag: string;
  readonly platformCheck?: true;
}

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

const command = new Command('npm run image --')
  .description('build the container image')
  .option('--base <image>', 'any Debian-based image with mount, umount and libstdc++', 'debian:trixie-slim')
  .option('--tag <tag>', 'name of the image', `famfs-csi:${version}`)
  .option('--platform-check', 'only check that daemon and base are of a supported architecture')
  .action(build);

function build({ base, tag, platformCheck }: ImageOptions): void {
  checkPlatform(base);
  if (platformCheck) return console.log(`${base}: can be built here`);
  withStage(({ context, bytes }) => {
    const size = buildImage(context, tag, { BASE: base, VERSION: version, REVISION: revision() });
    const parts = Object.entries(bytes).map(([part, weight]) => `${part} ${formatBytes(weight)}`);
    const ours = Object.values(bytes).reduce((sum, weight) => sum + weight, 0);
    console.log(`${tag}: ${formatBytes(size)}, of which base ${formatBytes(size - ours)}, ${parts.join(', ')}`);
  });
}

/** The commit, where this is a checkout. */
function revision(): string {
  try {
    return run('git', ['rev-parse', 'HEAD'], { cwd: root }).trim();
  } catch {
    return '';
  }
}

try {
  command.parse();
} catch (error) {
  console.error(`npm run image: ${messageOf(error)}`);
  process.exitCode = 1;
}
