import type { AccessMode } from '../csi/capabilities.ts';
import { formatVolumeId, parseVolumeId } from '../csi/volume-id.ts';
import type { Attachment, AttachRecord } from './interfaces.ts';

/**
 * An attachment as it is kept. By a suffixed handle, its node is written `<node>//<suffix>`: a controller of a
 * version that knows no suffixes then takes it for another node's, and neither removes nor forgets it.
 */
interface StoredAttachment {
  readonly node: string;
  readonly suffix?: string;
  readonly mode: AccessMode;
  readonly readonly: boolean;
}

/** An attach record as it is kept. The names of its fields stay: several versions read it. */
export interface StoredAttachRecord {
  readonly volume: string;
  readonly attachments: readonly StoredAttachment[];
  readonly epoch: number;
}

/** A record in the form in which it is kept. */
export function storedAttachRecord({ directory, attachments, epoch }: AttachRecord): StoredAttachRecord {
  return { volume: directory, attachments: attachments.map(stored), epoch };
}

/** Reads a record of this version, or of one before suffixes. */
export function readAttachRecord({ volume: directory, attachments, epoch }: StoredAttachRecord): AttachRecord {
  return { directory, attachments: attachments.map((attachment) => read(directory, attachment)), epoch };
}

function stored({ volume, node, mode, readonly }: Attachment): StoredAttachment {
  const suffix = parseVolumeId(volume)?.suffix;
  return suffix === undefined ? { node, mode, readonly } : { node: `${node}//${suffix}`, suffix, mode, readonly };
}

function read(directory: string, { node, suffix, mode, readonly }: StoredAttachment): Attachment {
  const id = parseVolumeId(directory);
  if (suffix === undefined || id === undefined) return { volume: directory, node, mode, readonly };
  return { volume: formatVolumeId({ ...id, suffix }), node: node.slice(0, -`//${suffix}`.length), mode, readonly };
}
