/** What kind of failure it was: stable, and what callers switch on. Messages are for people. */
export type FamfsErrorCode =
  | 'INVALID' // an argument that can never work
  | 'NOT_FOUND'
  | 'EXISTS' // the path is taken
  | 'NOT_EMPTY'
  | 'ALIASED' // other files have memory of this one
  | 'TOO_LARGE' // more than this pool could ever hold
  | 'NO_SPACE' // no room now
  | 'LOG_FULL' // no slot left for another creation
  | 'DAMAGED' // what is in memory is not what the format allows
  | 'NOT_FAMFS' // no famfs superblock there
  | 'FOREIGN' // the pool belongs to another cluster
  | 'CLAIMED' // another writer rules
  | 'CLAIM_LOST' // this writer rules no longer
  | 'REPLACED' // the device holds another file system than the one that was opened
  | 'READ_ONLY'
  | 'IN_USE'
  | 'NOT_ANSWERING' // it may answer later
  | 'UNSUPPORTED'
  | 'DEVICE'; // the device cannot be opened, sized or mapped

/** A failure of the famfs library. The message names the value that was wrong and what to do. */
export class FamfsError extends Error {
  readonly code: FamfsErrorCode;

  constructor(code: FamfsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FamfsError';
    this.code = code;
  }
}

/** What a thrown value says, for people: the message of an Error, else the value as text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
