import { FamfsError } from '../../errors.ts';
import type { Failed, SessionConfig } from '../serving/messages.ts';
import { findRecord, type SessionRecord } from './session-record.ts';

/**
 * The second argument of a supervisor that is to go on with the session that its configuration names: what it needs to
 * know is in the session's record, which can be longer than an argument.
 */
export const RESUME = 'resume';

/**
 * The record of the session that a supervisor with this second argument goes on with: undefined for a new one. A data
 * plane of a version before gives the record itself, in JSON. Throws FamfsError NOT_FOUND when there is none any more.
 */
export function recordToResume(config: SessionConfig, argument: string | undefined): SessionRecord | undefined {
  const { hostDirectory, id, directory } = config;
  if (argument === undefined) return undefined;
  if (argument !== RESUME) return JSON.parse(argument) as SessionRecord;
  const record = findRecord(hostDirectory, id);
  if (record === undefined) throw new FamfsError('NOT_FOUND', `session ${id} of ${directory} has no record any more`);
  return record;
}

/** Supervisor to whoever asked for the session. */
export type SupervisorMessage =
  | { readonly type: 'serving'; readonly record: SessionRecord }
  | Failed;
