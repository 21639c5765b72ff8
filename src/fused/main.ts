import os from 'node:os';
import type { Logger } from 'winston';
import { followPoolsFile } from '../csi/follow-pools-file.ts';
import type { PoolConfig } from '../csi/pool-config.ts';
import { socketPath } from '../csi/server/endpoint.ts';
import { fused } from '../csi/server/protocols.ts';
import { SocketServer } from '../csi/server/server.ts';
import { handlersOf } from '../csi/server/service.ts';
import { timeoutLimitation } from '../famfs/fuse/protocol/request-timeout.ts';
import { openHostDirectory } from '../famfs/private-folder.ts';
import type { FusedHandlers } from '../generated/famfs/fused/v1/Fused.ts';
import { addCallHistogram } from '../metrics/calls.ts';
import type { Health } from '../metrics/health.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { addSessionMetrics } from '../metrics/session-metrics.ts';
import type { Notices } from '../state/interfaces.ts';
import { Stages } from '../state/stages.ts';
import { BadRangeReporter } from './bad-range-reporter.ts';
import { hostTimeout, sessionFigures } from './figures.ts';
import { Membership, type MembershipOptions } from './membership.ts';
import { PoolReaders } from './pool-reader.ts';
import { Regularly } from './regularly.ts';
import { ReplacedPools } from './replaced-pools.ts';
import { fusedOperations } from './service.ts';
import { Sessions } from './sessions.ts';

/**
 * How often to look into the pools file and for removed pools that nobody uses any more. A ConfigMap
 * takes up to a minute to arrive; looking costs one read of a small file.
 */
const FOLLOW_MS = 2000;
/** How often to acknowledge deletions to the cluster, and to look for parts of files that fail. */
const REPORT_MS = 1000;

/** The part of a data plane's health that this file sets. */
const PART = 'control socket';

export interface FusedOptions {
  readonly pools: readonly PoolConfig[];
  /** Followed, where there is one: `pools` is what it said at the start. */
  readonly poolsFile?: string;
  /** How often to look into it. */
  readonly followMs?: number;
  /** What is local to this host and gone after a reboot: mounts, overrides, session records. */
  readonly hostDirectory: string;
  /** The control socket: `unix:///path`, or the path. */
  readonly endpoint: string;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Whether the sessions' processes end with this one, as in a container. */
  readonly endsSessions?: boolean;
  /** Ends the service. */
  readonly signal: AbortSignal;
  /** Where to report memory that fails. */
  readonly notices?: Notices;
  /** Who this host is to other users of its pools; without it, nobody waits for this host. */
  readonly member?: Pick<MembershipOptions, 'members' | 'host' | 'bootId'>;
}

/**
 * Runs a host's data plane until the signal: adopts the sessions of an earlier run, serves the control
 * socket, and at the end unmounts what is not in use. Sessions in use go on without it.
 */
export async function runFused(options: FusedOptions): Promise<void> {
  const { pools, hostDirectory, health, metrics, log, signal, member } = options;
  health.set(PART, 'it is not served yet');
  openHostDirectory(hostDirectory);
  const stages = new Stages(hostDirectory);
  const membership = member && new Membership({ ...member, hostDirectory, log });
  const host = member?.host ?? os.hostname();
  const replaced = new ReplacedPools({ host, hostDirectory, stages, log, ...(options.notices === undefined ? {} : { notices: options.notices }) });
  const sessions = new Sessions({ pools, hostDirectory, stages, log, replaced, ...(membership === undefined ? {} : { members: membership }) });
  await sessions.adopt();
  const acknowledging = membership && new Regularly({ what: 'acknowledging deletions', everyMs: REPORT_MS, work: () => membership.update(), log });
  logProblems(sessions, log);
  const timeout = timeoutLimitation(hostTimeout());
  if (timeout !== undefined) log.warn(`on this kernel, ${timeout}`);
  addSessionMetrics(metrics, () => sessionFigures(sessions, hostDirectory, replaced));
  const readers = new PoolReaders();
  const handlers = handlersOf<FusedHandlers>(fusedOperations(sessions, readers, hostDirectory), log);
  const observe = addCallHistogram(metrics, 'famfs_control_call_seconds', 'Calls to the data plane by method and gRPC code');
  const server = await SocketServer.listen(socketPath(options.endpoint) ?? options.endpoint, (grpc) => {
    grpc.addService(fused.Fused.service, handlers as never);
  }, observe);
  health.set(PART, undefined);
  log.info('serving', { endpoint: options.endpoint });
  const badRanges = options.notices && new BadRangeReporter({ hostDirectory, host, stages, notices: options.notices });
  const reporting = badRanges && new Regularly({ what: 'reporting bad parts of files', everyMs: REPORT_MS, work: () => badRanges.reportNew(), log });
  await Promise.all([untilAborted(signal), follow(options, sessions)]);
  await server.drain();
  readers.close();
  await reporting?.stop();
  await sessions.stop(options.endsSessions ?? false);
  await acknowledging?.stop();
  await membership?.update();
}

/** Brings the pools up to date with their file, and ends the sessions of those that are gone. */
async function follow({ pools, poolsFile, followMs = FOLLOW_MS, log, signal }: FusedOptions, sessions: Sessions): Promise<void> {
  if (poolsFile === undefined) return;
  const retiring = new Regularly({ what: 'ending sessions of removed pools', everyMs: followMs, work: () => sessions.endRemoved(), log });
  await followPoolsFile(poolsFile, { pools, log, signal, pollMs: followMs }, (now) => {
    sessions.configure(now);
    logProblems(sessions, log);
  });
  await retiring.stop();
}

function logProblems(sessions: Sessions, log: Logger): void {
  for (const { name, problem } of sessions.list()) {
    if (problem !== undefined) log.warn('pool cannot be served', { name, problem });
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
