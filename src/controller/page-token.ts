import { refuse } from '../csi/errors.ts';
import { parseVolumeId } from '../csi/volume-id.ts';

/** The last entry of a page. A listing goes on behind it, even if it is gone meanwhile. First come the driver's volumes, then what else is attached. */
export type PagePosition = VolumePosition | { readonly attached: string };

/** A volume of the driver. */
export interface VolumePosition {
  readonly pool: string;
  /** The directory's node id, which no other directory of the pool ever gets. */
  readonly node: number;
}

const ATTACHED = 'attached:';

export function formatToken(position: PagePosition): string {
  return 'attached' in position ? `${ATTACHED}${position.attached}` : `${position.pool}:${position.node}`;
}

/** Reads a starting token. Throws ABORTED for whatever is none of ours: the caller starts again. */
export function parseToken(token: string): PagePosition {
  if (token.startsWith(ATTACHED)) {
    const attached = token.slice(ATTACHED.length);
    if (parseVolumeId(attached) !== undefined) return { attached };
  }
  const match = /^([0-9a-f-]{36}):(\d{1,15})$/.exec(token);
  if (match === null) throw refuse.aborted(`starting_token ${JSON.stringify(token.slice(0, 64))} is none of ours: start the listing again`);
  return { pool: match[1]!, node: Number(match[2]) };
}
