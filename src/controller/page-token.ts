import { refuse } from '../csi/errors.ts';

/** The last volume of a page. A listing goes on behind it, even if it is deleted meanwhile. */
export interface PagePosition {
  readonly pool: string;
  /** The directory's node id, which no other directory of the pool ever gets. */
  readonly node: number;
}

export function formatToken({ pool, node }: PagePosition): string {
  return `${pool}:${node}`;
}

/** Reads a starting token. Throws ABORTED for whatever is none of ours: the caller starts again. */
export function parseToken(token: string): PagePosition {
  const match = /^([0-9a-f-]{36}):(\d{1,15})$/.exec(token);
  if (match === null) throw refuse.aborted(`starting_token ${JSON.stringify(token.slice(0, 64))} is none of ours: start the listing again`);
  return { pool: match[1]!, node: Number(match[2]) };
}
