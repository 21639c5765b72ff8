import { AsyncLocalStorage } from 'node:async_hooks';
import { createLogger, format, transports, type Logger } from 'winston';
import { LOG_LEVELS, type LogLevel } from './log-level.ts';

/** What every line says that is written while a call is answered. */
export interface CallContext {
  readonly request: string;
  readonly method: string;
  readonly volume?: string;
}

const calls = new AsyncLocalStorage<CallContext>();

/** Runs `work` so that each log line written meanwhile carries the call's identity. */
export function inCall<Result>(context: CallContext, work: () => Result): Result {
  return calls.run(context, work);
}

const callFields = format((info) => Object.assign(info, calls.getStore()));

/** One JSON object a line, on standard error: standard output belongs to commands that print. */
export function createLog(level: LogLevel, role: string): Logger {
  return createLogger({
    level,
    defaultMeta: { role },
    format: format.combine(callFields(), format.timestamp(), format.json()),
    transports: [new transports.Console({ stderrLevels: [...LOG_LEVELS] })],
  });
}

/** A log that says nothing: for tests and for callers that have none. */
export function silentLog(): Logger {
  return createLogger({ silent: true, transports: [new transports.Console()] });
}
