import { Counter, Gauge } from 'prom-client';
import type { Metrics } from './metrics.ts';

/** What a data plane tells of one pool. */
export interface SessionFigures {
  /** The pool's name in the configuration; its UUID where it has been removed from there. */
  readonly pool: string;
  readonly mounted: boolean;
  /** How many things are wrong with it. */
  readonly problems: number;
  /** By the kernel's name, such as READ. */
  readonly operations: readonly { readonly operation: string; readonly count: number; readonly errors: number }[];
  /** Parts of files that were the end of serving processes, and are left alone. */
  readonly badRanges?: number;
  /** How long a request may wait before the kernel ends the session; 0 for any time, missing where it cannot be told. */
  readonly requestTimeoutSeconds?: number;
  /** How often a serving process was replaced; missing where it cannot be told. */
  readonly restarts?: number;
  /** Sessions that ended since the pool was formatted anew under them, since this process began. */
  readonly replaced?: number;
  /** Missing where it cannot be told. */
  readonly replay?: { readonly lagEntries?: number; readonly ageSeconds: number };
}

/** Adds the metrics of a host's sessions. */
export function addSessionMetrics(metrics: Metrics, figures: () => readonly SessionFigures[]): void {
  const registers = [metrics.registry];
  const labelNames = ['pool'] as const;
  const mounted = new Gauge({ name: 'famfs_session_mounted', help: '1 while the pool is mounted on this host', labelNames, registers });
  const problems = new Gauge({ name: 'famfs_session_problems', help: 'Things wrong with the pool as this host sees it', labelNames, registers });
  const operations = new Counter({
    name: 'famfs_fuse_operations_total', help: 'Requests of the kernel that a session answered', labelNames: ['pool', 'operation'], registers,
  });
  const errors = new Counter({
    name: 'famfs_fuse_errors_total', help: 'Requests of the kernel that were answered with an error', labelNames: ['pool', 'operation'], registers,
  });
  const lag = new Gauge({
    name: 'famfs_replay_lag_entries', help: 'Entries in the shared log that this host has not replayed', labelNames, registers,
  });
  const age = new Gauge({
    name: 'famfs_replay_age_seconds', help: 'Time since this host last looked whether the log has grown', labelNames, registers,
  });
  const restarts = new Counter({
    name: 'famfs_session_restarts_total', help: 'Serving processes that ended and were replaced, unseen by applications', labelNames, registers,
  });
  const badRanges = new Gauge({
    name: 'famfs_session_bad_ranges', help: 'Parts of files that ended two serving processes and are answered EIO since', labelNames, registers,
  });
  const replaced = new Counter({
    name: 'famfs_sessions_replaced_total', help: 'Sessions that ended because their pool was formatted anew under them', labelNames, registers,
  });
  const timeout = new Gauge({
    name: 'famfs_session_request_timeout_seconds', help: 'Time after which the kernel ends a session that lets a request wait; 0 for none', labelNames, registers,
  });
  metrics.onScrape(() => {
    for (const metric of [mounted, problems, operations, errors, lag, age, restarts, badRanges, replaced, timeout]) metric.reset();
    for (const { pool, replay, ...session } of figures()) {
      mounted.set({ pool }, session.mounted ? 1 : 0);
      problems.set({ pool }, session.problems);
      for (const { operation, count, errors: failed } of session.operations) {
        operations.inc({ pool, operation }, count);
        errors.inc({ pool, operation }, failed);
      }
      if (session.badRanges !== undefined) badRanges.set({ pool }, session.badRanges);
      if (session.replaced !== undefined) replaced.inc({ pool }, session.replaced);
      if (session.requestTimeoutSeconds !== undefined) timeout.set({ pool }, session.requestTimeoutSeconds);
      if (session.restarts !== undefined) restarts.inc({ pool }, session.restarts);
      if (replay?.lagEntries !== undefined) lag.set({ pool }, replay.lagEntries);
      if (replay !== undefined) age.set({ pool }, replay.ageSeconds);
    }
  });
}
