import type { Failed } from '../serving/messages.ts';
import type { SessionRecord } from './session-record.ts';

/** Supervisor to whoever asked for the session. */
export type SupervisorMessage =
  | { readonly type: 'serving'; readonly record: SessionRecord }
  | Failed;
