/** The images that run in the cluster, made from our programs and Debian's files; none is pulled. */
import { join } from 'node:path';
import { buildImage, type ImageRecipe } from './docker.ts';
import { ensurePrograms, type KubernetesName, kubernetesVersion, pinned, type ProgramName } from './programs.ts';
import { run } from './run.ts';

const registry = 'registry.k8s.io';

/** Image of pods' sandboxes, as the nodes' containerd configuration names it. */
const pause = `${registry}/pause:3.10`;

/** Small image with a shell, for pods of tests. */
export const busybox = 'busybox:1.37';

/** Image of a sidecar, named as the chart's defaults name it. */
export const sidecars = {
  'csi-provisioner': `${registry}/sig-storage/csi-provisioner:${pinned('github.com/kubernetes-csi/external-provisioner/v6')}`,
  'csi-attacher': `${registry}/sig-storage/csi-attacher:${pinned('github.com/kubernetes-csi/external-attacher/v4')}`,
} as const;

/** What Kubernetes' own suite runs in pods: test/utils/image/manifest.go of the pinned version names these. */
export const suiteImages = {
  agnhost: `${registry}/e2e-test-images/agnhost:2.63.0`,
  busybox: `${registry}/e2e-test-images/busybox:1.37.0-1`,
  nginx: `${registry}/e2e-test-images/nginx:1.15-4`,
  glibc: `${registry}/e2e-test-images/glibc-dns-testing:2.0.0`,
} as const;

/** Builds the images of a cluster and gives their names. */
export async function buildClusterImages(programs: string, tree: string): Promise<string[]> {
  const recipes = [controlPlane(programs), kubeProxy(programs, tree), await etcd(programs), pauseRecipe(programs),
    busyboxRecipe(tree), ...sidecarRecipes(programs)];
  for (const recipe of recipes) await buildImage(recipe);
  return recipes.flatMap((recipe) => recipe.tags);
}

/** Builds the images of Kubernetes' own suite and gives their names. */
export async function buildSuiteImages(): Promise<string[]> {
  const programs = await ensurePrograms(['agnhost']);
  await buildImage({
    tags: [suiteImages.agnhost],
    programs: pick(programs, 'agnhost'),
    dockerfile: `FROM ${busybox}\nCOPY bin/ /\nENTRYPOINT ["/agnhost"]\nCMD ["pause"]\n`,
  });
  // Of the other ones the tests use the shell and its commands alone.
  for (const image of [suiteImages.busybox, suiteImages.nginx, suiteImages.glibc]) await run('docker', ['tag', busybox, image]);
  return Object.values(suiteImages);
}

/** The Dockerfile of an image that holds programs and nothing else. */
function programOnly(directory: string, entrypoint: string): string {
  const lines = ['FROM scratch', `COPY bin/ ${directory}`, 'WORKDIR /tmp', 'WORKDIR /', `ENV PATH=${directory}`];
  return [...lines, `ENTRYPOINT ${entrypoint}`, ''].join('\n');
}

function controlPlane(programs: string): ImageRecipe {
  const names = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;
  return {
    tags: names.map((name) => `${registry}/${name}:${kubernetesVersion}`),
    programs: kubernetesPrograms(programs, names),
    dockerfile: programOnly('/usr/local/bin', '[]'),
  };
}

/** Programs of the one binary of Kubernetes, and their links to it. */
export function kubernetesPrograms(
  programs: string,
  names: readonly KubernetesName[],
): Record<string, string> {
  return { ...pick(programs, 'kubernetes'), ...Object.fromEntries(names.map((name) => [name, 'kubernetes'])) };
}

// Without /etc/protocols nft prints numbers for protocols, and kube-proxy deletes its own rules in
// every second round because it does not recognise them.
function kubeProxy(programs: string, tree: string): ImageRecipe {
  return {
    tags: [`${registry}/kube-proxy:${kubernetesVersion}`],
    programs: kubernetesPrograms(programs, ['kube-proxy']),
    dockerfile: `FROM ${tree} AS tree
RUN mkdir /out && cp -L --parents /etc/protocols /usr/sbin/nft $(ldd /usr/sbin/nft | grep -o '/[^ ]*') /out
FROM scratch
COPY --from=tree /out /
COPY bin/ /usr/local/bin/
WORKDIR /tmp
WORKDIR /
ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin
`,
  };
}

/** The tag is what kubeadm asks for; what runs is the etcd of go.mod. */
async function etcd(programs: string): Promise<ImageRecipe> {
  const list = await run(join(programs, 'kubeadm'), ['config', 'images', 'list', '--kubernetes-version', kubernetesVersion]);
  const tag = list.split('\n').find((line) => line.startsWith(`${registry}/etcd:`));
  if (tag === undefined) throw new Error(`kubeadm names no image of etcd:\n${list}`);
  return { tags: [tag], programs: pick(programs, 'etcd'), dockerfile: programOnly('/usr/local/bin', '[]') };
}

function pauseRecipe(programs: string): ImageRecipe {
  return { tags: [pause], programs: pick(programs, 'pause'), dockerfile: programOnly('/', '["/pause"]') };
}

function busyboxRecipe(tree: string): ImageRecipe {
  return {
    tags: [busybox],
    dockerfile: `FROM ${tree} AS tree
RUN mkdir -p /out/bin /out/etc /out/root /out/home /out/var /out/proc /out/sys /out/dev && mkdir -m 1777 /out/tmp \\
  && cp /bin/busybox /out/bin/ && for name in $(busybox --list); do ln -s busybox /out/bin/$name 2>/dev/null || true; done \\
  && cp /etc/passwd /etc/group /out/etc/
FROM scratch
COPY --from=tree /out /
ENV PATH=/bin
CMD ["sh"]
`,
  };
}

/** Upstream's images have the program as entry point, at the top of the tree. */
function sidecarRecipes(programs: string): ImageRecipe[] {
  return (Object.keys(sidecars) as (keyof typeof sidecars)[]).map((name) => ({
    tags: [sidecars[name]],
    programs: pick(programs, name),
    dockerfile: programOnly('/', `["/${name}"]`),
  }));
}

function pick(programs: string, name: ProgramName): Record<string, string> {
  return { [name]: join(programs, name) };
}
