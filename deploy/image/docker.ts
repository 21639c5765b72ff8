/** What we ask of Docker. */
import { spawnSync } from 'node:child_process';
import { run } from './run.ts';

/** The one architecture whose memory ordering the shared log has been tested on. */
const ARCHITECTURE = 'amd64';

/** Throws unless daemon and base are of the architecture that is supported. */
export function checkPlatform(base: string): void {
  const daemon = run('docker', ['version', '--format', '{{.Server.Os}}/{{.Server.Arch}}']).trim();
  refuseOther('the Docker daemon', daemon);
  // A base that is not here yet is pulled for the daemon's own architecture.
  const found = spawnSync('docker', ['image', 'inspect', '--format', '{{.Os}}/{{.Architecture}}', base], { encoding: 'utf8' });
  if (found.status === 0) refuseOther(`the base image ${base}`, found.stdout.trim());
}

function refuseOther(what: string, platform: string): void {
  if (platform === `linux/${ARCHITECTURE}`) return;
  throw new Error(`${what} is ${platform}; famfs-csi is built for linux/${ARCHITECTURE} only: ` +
    'its log relies on the order of stores to shared memory, which has not been tested on any other architecture');
}

/** Builds the image of a context; with BuildKit where Docker has it. Returns the image's size in bytes. */
export function buildImage(context: string, tag: string, args: Readonly<Record<string, string>>): number {
  const env = { ...process.env };
  if (env['DOCKER_BUILDKIT'] === undefined && spawnSync('docker', ['buildx', 'version'], { stdio: 'ignore' }).status !== 0) {
    env['DOCKER_BUILDKIT'] = '0';
  }
  const given = Object.entries(args).flatMap(([key, value]) => ['--build-arg', `${key}=${value}`]);
  // Without BuildKit, the container of a step that fails would stay.
  const tidy = env['DOCKER_BUILDKIT'] === '0' ? ['--force-rm'] : [];
  run('docker', ['build', ...tidy, ...given, '--tag', tag, context], { env, show: true });
  return Number(run('docker', ['image', 'inspect', '--format', '{{.Size}}', tag]));
}
