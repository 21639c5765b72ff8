import { isExclusive, isReaderOnly, isSingleNode } from '../csi/capabilities.ts';
import { type CsiError, refuse } from '../csi/errors.ts';
import { directoryHandle } from '../csi/volume-id.ts';
import type { Attachment } from '../state/interfaces.ts';

/** What becomes of a wish to attach. */
export type Verdict =
  | { readonly kind: 'attached' } // it is so already
  | { readonly kind: 'attach' }
  | { readonly kind: 'refused'; readonly error: CsiError };

/** Decides whether a directory with these attachments, by whatever handles, may have one more. */
export function judgeAttachment(existing: readonly Attachment[], wanted: Attachment): Verdict {
  const { volume, node } = wanted;
  const same = existing.find((attachment) => attachment.volume === volume && attachment.node === node);
  if (same !== undefined) {
    if (same.mode === wanted.mode && same.readonly === wanted.readonly) return { kind: 'attached' };
    return refused(refuse.exists(`${volume} is published on node ${node} already, as ${describe(same)}: ` +
      `unpublish it before publishing it as ${describe(wanted)}, or use another handle of its directory (${directoryHandle(volume)}//NAME)`));
  }
  const rival = existing.find((attachment) => !areCompatible(attachment, wanted));
  if (rival === undefined) return { kind: 'attach' };
  return refused(refuse.precondition(`${rival.volume} is published on node ${rival.node} as ${describe(rival)}: ` +
    `unpublish it there before publishing ${volume} on ${node} as ${describe(wanted)}`));
}

/** Whether an attachment keeps its node from writing, by its mode or by the request's readonly flag. */
export function isReadOnly(mode: Attachment['mode'], readonly: boolean): boolean {
  return readonly || isReaderOnly(mode);
}

/** Whether one directory may be attached in both ways at once; the order does not matter. The table is in docs/proposals/sharing.md. */
function areCompatible(a: Attachment, b: Attachment): boolean {
  const both = [a, b];
  if (both.some(({ mode }) => isExclusive(mode))) return false;
  if (a.node === b.node) return true;
  const readers = both.filter(({ mode, readonly }) => isReadOnly(mode, readonly));
  if (readers.length === 2) return !both.some(({ mode }) => mode === 'SINGLE_NODE_READER_ONLY');
  if (readers.length === 1) return true;
  return !both.some(({ mode }) => isSingleNode(mode) || mode === 'MULTI_NODE_SINGLE_WRITER');
}

function refused(error: CsiError): Verdict {
  return { kind: 'refused', error };
}

function describe({ mode, readonly }: Attachment): string {
  return `${mode}${readonly && !isReaderOnly(mode) ? ', read-only' : ''}`;
}
