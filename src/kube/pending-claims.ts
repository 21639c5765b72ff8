import { setImmediate } from 'node:timers/promises';
import type { V1PersistentVolumeClaim, V1StorageClass } from '@kubernetes/client-node';
import type { Logger } from 'winston';
import type { AccessMode } from '../csi/capabilities.ts';
import type { Explainer, WantedVolume } from '../state/interfaces.ts';
import type { KubeApi } from './client.ts';
import type { EventRecorder } from './events.ts';
import { watchObjects } from './informer.ts';
import { MessageThrottle } from './message-throttle.ts';
import { parseQuantity } from './quantity.ts';
import { ReconcileLoop } from './reconcile-loop.ts';

/** Room comes and goes without any object changing. */
const EVERY_MS = 30_000;
/** How long an explanation stands at least, though the room it speaks of changes: less than a regular pass takes to come. */
const STANDS_MS = 20_000;
const FS_TYPE_KEYS = ['csi.storage.k8s.io/fstype', 'fstype'];
/** API groups of the sources that the provisioner hands on to the driver. */
const SOURCE_GROUPS = ['', 'snapshot.storage.k8s.io'];
const RESERVED = 'csi.storage.k8s.io/';

/** As the provisioner translates them for a driver that tells single writers apart. */
const accessModes: Readonly<Record<string, AccessMode>> = {
  ReadWriteOnce: 'SINGLE_NODE_MULTI_WRITER',
  ReadWriteOncePod: 'SINGLE_NODE_SINGLE_WRITER',
  ReadWriteMany: 'MULTI_NODE_MULTI_WRITER',
  ReadOnlyMany: 'MULTI_NODE_READER_ONLY',
};

/**
 * Tells every claim of ours that stays Pending why it does. The scheduler asks no driver for a volume
 * where it sees no room, and so nobody else would.
 */
export function explainPendingClaims(
  api: KubeApi, driver: string, events: EventRecorder, controller: Explainer, log: Logger, signal: AbortSignal,
): void {
  const messages = new MessageThrottle(STANDS_MS);
  const pass = async () => {
    messages.beginRound();
    for (const claim of claims.list()) {
      const storageClass = claim.spec?.storageClassName === undefined ? undefined : classes.get(claim.spec.storageClassName);
      if (storageClass?.provisioner !== driver || !isWaiting(claim)) continue;
      await setImmediate(); // thousands may wait, and the lease must be renewed meanwhile
      if (signal.aborted) return;
      const problem = controller.explain(wantedBy(claim, storageClass));
      if (problem === undefined) continue;
      const { name, namespace, uid, resourceVersion } = claim.metadata!;
      events.record(
        { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name: name!, namespace: namespace!, uid: uid!, resourceVersion: resourceVersion! },
        { type: 'Warning', reason: 'CannotProvision', message: messages.throttle(uid!, problem) },
      );
    }
  };
  const loop = new ReconcileLoop(EVERY_MS, pass, log, signal);
  const changed = () => loop.trigger();
  const classes = watchObjects<V1StorageClass>(api, {
    path: '/apis/storage.k8s.io/v1/storageclasses', list: (page) => api.storage.listStorageClass(page),
  }, changed, log, signal);
  const claims = watchObjects<V1PersistentVolumeClaim>(api, {
    path: '/api/v1/persistentvolumeclaims', list: (page) => api.core.listPersistentVolumeClaimForAllNamespaces(page),
  }, changed, log, signal);
}

function isWaiting({ metadata, spec, status }: V1PersistentVolumeClaim): boolean {
  return status?.phase === 'Pending' && metadata?.deletionTimestamp === undefined && !spec?.volumeName;
}

/** The volume that the provisioner would ask for. */
export function wantedBy({ metadata, spec }: V1PersistentVolumeClaim, { parameters = {}, mountOptions }: V1StorageClass): WantedVolume {
  const source = spec?.dataSource ?? spec?.dataSourceRef;
  const isFilledByOthers = !SOURCE_GROUPS.includes(source?.apiGroup ?? ''); // they ask us for an empty volume
  const ours = Object.entries(parameters).filter(([key]) => !key.startsWith(RESERVED) && key !== 'fstype');
  return {
    name: `pvc-${metadata?.uid}`,
    bytes: parseQuantity(spec?.resources?.requests?.['storage'] ?? '') ?? 0,
    modes: (spec?.accessModes ?? []).flatMap((mode) => accessModes[mode] ?? []),
    block: spec?.volumeMode === 'Block',
    fsType: FS_TYPE_KEYS.map((key) => parameters[key]).find((value) => value !== undefined) ?? '',
    mountFlags: mountOptions ?? [],
    parameters: Object.fromEntries(ours),
    ...(source === undefined || isFilledByOthers ? {} : { source: `${source.kind} ${source.name}` }),
  };
}
