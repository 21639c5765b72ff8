import { parseAccess } from '../csi/capabilities.ts';
import { refuse } from '../csi/errors.ts';
import { directoryHandle, parseVolumeId } from '../csi/volume-id.ts';
import type { PoolNode } from '../famfs/pool/pool.ts';
import type { ControllerPublishVolumeRequest__Output } from '../generated/csi/v1/ControllerPublishVolumeRequest.ts';
import type { Attachment, Attachments, AttachRecord, Lease, Nodes } from '../state/interfaces.ts';
import { isReadOnly, judgeAttachment } from './attach-rules.ts';
import type { ControllerPools } from './pools/pools.ts';

/** Tells the node plugin that the controller allowed reading only. */
export const READ_ONLY_CONTEXT = { readonly: 'true' } as const;

/** How often a record is read again because somebody else changed it first. */
const ATTEMPTS = 5;

/** Keeps the attach records. Nothing is done on a host here: every host of a pool sees all its memory anyway. */
export class Attaching {
  readonly #pools: ControllerPools;
  readonly #attachments: Attachments;
  readonly #nodes: Nodes;
  readonly #lease: Lease;

  constructor(pools: ControllerPools, attachments: Attachments, nodes: Nodes, lease: Lease) {
    this.#pools = pools;
    this.#attachments = attachments;
    this.#nodes = nodes;
    this.#lease = lease;
  }

  /** Attaches a volume to a node, or confirms that it is; answers the node's publish context. */
  async publish(request: ControllerPublishVolumeRequest__Output): Promise<Record<string, string>> {
    const { volume_id: volume, node_id: node } = request;
    if (node === '') throw refuse.invalid('node_id is required');
    const { mode } = parseAccess(request.volume_capability);
    this.requireVolume(volume);
    if (!await this.#nodes.has(node)) throw refuse.notFound(`node ${JSON.stringify(node)} has no famfs node plugin`);
    const wanted = { volume, node, mode, readonly: isReadOnly(mode, request.readonly) };
    await this.#update(volume, (existing) => {
      const verdict = judgeAttachment(existing, wanted);
      if (verdict.kind === 'refused') throw verdict.error;
      return verdict.kind === 'attached' ? existing : [...existing, wanted];
    });
    return wanted.readonly ? READ_ONLY_CONTEXT : {};
  }

  /** Detaches a volume from a node, or from all where none is named. Nothing to detach is success. */
  async unpublish(volume: string, node: string): Promise<void> {
    await this.#update(volume, (existing) =>
      existing.filter((attachment) => attachment.volume !== volume || (node !== '' && attachment.node !== node)));
  }

  /** Throws NOT_FOUND unless the handle names a live directory, ours or one that exists besides. */
  requireVolume(volume: string): PoolNode {
    const id = parseVolumeId(volume);
    const pool = id && this.#pools.byUuid(id.pool);
    const found = pool?.view.stat(id!.directory);
    if (found?.kind !== 'directory') throw refuse.notFound(`there is no volume ${JSON.stringify(volume)}`);
    return found;
  }

  /** Changes the record of a volume's directory. */
  async #update(volume: string, change: (existing: readonly Attachment[]) => readonly Attachment[]): Promise<void> {
    const directory = directoryHandle(volume);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const current = await this.#attachments.get(directory);
      const existing = current?.value.attachments ?? [];
      const attachments = change(existing);
      if (attachments.length === existing.length) return;
      const record: AttachRecord = { directory, attachments, epoch: this.#lease.epoch };
      if (await this.#attachments.replace(record, current?.version)) return;
    }
    throw refuse.aborted(`the attach record of ${directory} keeps changing: repeat the call later`);
  }
}
