import { isReaderOnly, isSingleNode } from '../csi/capabilities.ts';
import { type CsiError, refuse } from '../csi/errors.ts';
import type { Attachment } from '../state/interfaces.ts';

/** What becomes of a wish to attach. */
export type Verdict =
  | { readonly kind: 'attached' } // it is so already
  | { readonly kind: 'attach' }
  | { readonly kind: 'refused'; readonly error: CsiError };

/** Decides whether a volume attached like this may be attached to one more node. */
export function judgeAttachment(volume: string, existing: readonly Attachment[], wanted: Attachment): Verdict {
  const here = existing.find((attachment) => attachment.node === wanted.node);
  if (here !== undefined) {
    if (here.mode === wanted.mode && here.readonly === wanted.readonly) return { kind: 'attached' };
    return refused(refuse.exists(`${volume} is published on node ${here.node} already, as ${describe(here)}: unpublish it before publishing it as ${describe(wanted)}`));
  }
  const single = existing.find((attachment) => isSingleNode(attachment.mode));
  if (single !== undefined || (existing.length > 0 && isSingleNode(wanted.mode))) {
    const { node, mode } = single ?? existing[0]!;
    return refused(refuse.precondition(`${volume} is published on node ${node} as ${mode}: unpublish it there before publishing it on ${wanted.node} as ${wanted.mode}`));
  }
  const rival = rivalWriter(existing, wanted);
  if (rival !== undefined) {
    return refused(refuse.precondition(`${volume} allows one writing node, and node ${rival.node} is it: publish it read-only on ${wanted.node}`));
  }
  return { kind: 'attach' };
}

/** Whether an attachment lets its node write, whatever the request's readonly flag says. */
export function isReadOnly(mode: Attachment['mode'], readonly: boolean): boolean {
  return readonly || isReaderOnly(mode);
}

/** The node that writes already, where either side insists on a single writer. */
function rivalWriter(existing: readonly Attachment[], wanted: Attachment): Attachment | undefined {
  if (wanted.readonly) return undefined;
  const exclusive = [wanted, ...existing].some(({ mode }) => mode === 'MULTI_NODE_SINGLE_WRITER');
  return exclusive ? existing.find(({ readonly }) => !readonly) : undefined;
}

function refused(error: CsiError): Verdict {
  return { kind: 'refused', error };
}

function describe({ mode, readonly }: Attachment): string {
  return `${mode}${readonly ? ', read-only' : ''}`;
}
