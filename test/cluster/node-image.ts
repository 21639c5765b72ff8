/** The image of a node: Debian's tree, Kubernetes' programs and all images that a cluster starts with. */
import { join } from 'node:path';
import { contentsOf, keyOf } from './cache.ts';
import { buildImage, docker, imageExists, inNode } from './docker.ts';
import { buildClusterImages, kubernetesPrograms } from './images.ts';
import { ensurePrograms, kubernetesVersion } from './programs.ts';
import { ensureNodeTree, nodeTree } from './rootfs.ts';
import { pipe, step } from './run.ts';

const start = ['ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]', 'CMD []'];

/** Makes the image known to Docker and gives its name. */
export async function ensureNodeImage(): Promise<string> {
  const programs = await ensurePrograms();
  const recipes = ['node', 'node-image.ts', 'images.ts', 'docker.ts'].map((name) => contentsOf(name));
  const image = `famfs-cluster/node:${keyOf(programs, nodeTree, ...recipes)}`;
  if (await imageExists(image)) return image;
  const former = await docker('images', '--format', '{{.Repository}}:{{.Tag}}', 'famfs-cluster/node');
  const tree = await ensureNodeTree();
  const bare = `${image}-bare`;
  await step('build the node image', () => buildBare(bare, tree, programs));
  const images = await step('build the images of the cluster', () => buildClusterImages(programs, tree));
  await step(`put ${images.length} images into the node image`, () => preload(bare, images, image));
  await docker('rmi', '--no-prune', bare);
  await removeUnused(former.split('\n').filter((name) => name !== ''));
  return image;
}

/** Removes former node images; one that a cluster still runs on stays. */
async function removeUnused(images: readonly string[]): Promise<void> {
  for (const image of images) {
    const users = await docker('ps', '--all', '--quiet', '--filter', `ancestor=${image}`);
    if (users.trim() === '') await docker('rmi', image);
  }
}

async function buildBare(tag: string, tree: string, programs: string): Promise<void> {
  await buildImage({
    tags: [tag],
    files: 'node',
    programs: { ...kubernetesPrograms(programs, ['kubeadm', 'kubelet', 'kubectl']), crictl: join(programs, 'crictl') },
    dockerfile: [
      `FROM ${tree}`, 'COPY files/ /', 'COPY bin/ /usr/bin/',
      `RUN sh /setup.sh && echo ${kubernetesVersion} >/kind/version`,
      'ENV container=docker', 'STOPSIGNAL SIGRTMIN+3', ...start, '',
    ].join('\n'),
  });
}

/** Imports images into the containerd of a node that is not running yet, and keeps the result as an image. */
async function preload(bare: string, images: readonly string[], tag: string): Promise<void> {
  const container = (await docker('run', '--detach', '--privileged', '--entrypoint', 'sleep', bare, 'infinity')).trim();
  try {
    await inNode(container, `containerd >/dev/null 2>&1 & echo $! >/run/loader.pid
      for i in $(seq 100); do ctr version >/dev/null 2>&1 && exit; sleep 0.1; done; exit 1`);
    await pipe(['docker', 'save', ...images], [
      'docker', 'exec', '-i', container, 'ctr', '-n', 'k8s.io', 'images', 'import', '--label=io.cri-containerd.pinned=pinned',
      '--all-platforms', '--no-unpack', '--digests', '-',
    ]);
    await inNode(container, `pid=$(cat /run/loader.pid); kill $pid; while [ -e /proc/$pid/exe ]; do sleep 0.1; done
      rm -rf /run/containerd /run/loader.pid`);
    await docker('commit', ...start.flatMap((change) => ['--change', change]), container, tag);
  } finally {
    await docker('rm', '--force', '--volumes', container);
  }
}
