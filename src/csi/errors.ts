import { status } from '@grpc/grpc-js';
import { cutToBytes } from '../famfs/cut-text.ts';
import { FamfsError, type FamfsErrorCode, messageOf } from '../famfs/errors.ts';

/** A refusal with the gRPC code that the CSI specification gives it. The message names the value that was wrong. */
export class CsiError extends Error {
  readonly code: status;

  constructor(code: status, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CsiError';
    this.code = code;
  }
}

/** One short constructor per code that we answer with. */
export const refuse = {
  invalid: (message: string) => new CsiError(status.INVALID_ARGUMENT, message),
  notFound: (message: string) => new CsiError(status.NOT_FOUND, message),
  exists: (message: string) => new CsiError(status.ALREADY_EXISTS, message),
  precondition: (message: string) => new CsiError(status.FAILED_PRECONDITION, message),
  outOfRange: (message: string) => new CsiError(status.OUT_OF_RANGE, message),
  exhausted: (message: string) => new CsiError(status.RESOURCE_EXHAUSTED, message),
  aborted: (message: string) => new CsiError(status.ABORTED, message),
  unavailable: (message: string) => new CsiError(status.UNAVAILABLE, message),
  internal: (message: string) => new CsiError(status.INTERNAL, message),
} as const;

/**
 * What a failure of the library means to a CSI caller. Whatever is wrong with a pool as a whole is
 * UNAVAILABLE: the caller repeats the call, and the call succeeds once the pool is well again.
 */
const famfsCodes: Readonly<Record<FamfsErrorCode, status>> = {
  INVALID: status.INVALID_ARGUMENT,
  NOT_FOUND: status.NOT_FOUND,
  EXISTS: status.ALREADY_EXISTS,
  NOT_EMPTY: status.FAILED_PRECONDITION,
  ALIASED: status.FAILED_PRECONDITION,
  TOO_LARGE: status.OUT_OF_RANGE,
  NO_SPACE: status.RESOURCE_EXHAUSTED,
  LOG_FULL: status.RESOURCE_EXHAUSTED,
  DAMAGED: status.UNAVAILABLE,
  NOT_FAMFS: status.UNAVAILABLE,
  FOREIGN: status.UNAVAILABLE,
  CLAIMED: status.UNAVAILABLE,
  CLAIM_LOST: status.UNAVAILABLE,
  REPLACED: status.UNAVAILABLE,
  READ_ONLY: status.UNAVAILABLE,
  IN_USE: status.UNAVAILABLE,
  NOT_ANSWERING: status.UNAVAILABLE,
  UNSUPPORTED: status.UNAVAILABLE,
  DEVICE: status.UNAVAILABLE,
};

/**
 * Bytes that a caller gets of one word of a message, such as an id that it has sent, and of all of it. gRPC puts it
 * into a trailer: a connection breaks by one that is too long, and with it all calls that it carries.
 */
const WORD_MAX_BYTES = 256;
const MESSAGE_MAX_BYTES = 2048;
/** Characters that can have more bytes than that. */
const LONG_WORDS = /\S{65,}/gu;

/** The code and text that a caller gets for anything thrown: the one place where errors become gRPC. */
export function toStatus(error: unknown): { code: status; details: string } {
  const { code, details } = judge(error);
  return { code, details: bound(details) };
}

function judge(error: unknown): { code: status; details: string } {
  if (error instanceof CsiError) return { code: error.code, details: error.message };
  if (error instanceof FamfsError) return { code: famfsCodes[error.code], details: error.message };
  if (isServiceError(error)) return { code: error.code, details: error.details };
  return { code: status.INTERNAL, details: messageOf(error) };
}

/** A text that gRPC can carry: not too long, with no word too long, and without halves of characters, which it cannot encode. */
export function bound(text: string): string {
  return shorten(text.toWellFormed().replace(LONG_WORDS, (word) => shorten(word, WORD_MAX_BYTES)), MESSAGE_MAX_BYTES);
}

function shorten(text: string, maxBytes: number): string {
  const start = cutToBytes(text, maxBytes);
  return start === text ? text : `${start}…`;
}

/** An answer of another gRPC server, which already has the right code. */
function isServiceError(error: unknown): error is { code: status; details: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' &&
    'details' in error && typeof error.details === 'string';
}
