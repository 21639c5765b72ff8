import path from 'node:path';
import { FamfsError } from '../famfs/errors.ts';
import { countersFile, readTotals } from '../famfs/fuse/host-state/counters-file.ts';
import type { CounterTotals } from '../famfs/fuse/host-state/counters.ts';
import { operations } from '../famfs/fuse/operations/dispatch.ts';
import { hostTimeouts, timeoutInForce, timeoutToAskFor } from '../famfs/fuse/protocol/request-timeout.ts';
import { supervisedRecords } from '../famfs/fuse/session/session-record.ts';
import type { Session } from '../famfs/fuse/session/session.ts';
import { monotonicMs } from '../famfs/host.ts';
import { readCounters, readGeometry } from '../famfs/log/geometry.ts';
import type { SessionFigures } from '../metrics/session-metrics.ts';
import type { OpenDevices } from './open-devices.ts';
import type { ReplacedPools } from './replaced-pools.ts';
import type { Sessions } from './sessions.ts';

/** What a host's data plane tells of its pools: those of the configuration, and those still mounted. */
export function sessionFigures(sessions: Sessions, hostDirectory: string, replaced: Pick<ReplacedPools, 'countOn'>): SessionFigures[] {
  const configured = sessions.list();
  const { devices } = sessions;
  const removed = sessions.serving.filter(({ poolUuid }) => !configured.some(({ uuid }) => uuid === poolUuid));
  return [
    ...configured.map(({ name, device, problem, session }) =>
      ({ ...figuresOf(name, session && { session, device }, problem === undefined ? 0 : 1, hostDirectory, devices), replaced: replaced.countOn(path.resolve(device)) })),
    ...removed.map((session) => figuresOf(session.poolUuid, { session, device: session.record.device }, 0, hostDirectory, devices)),
  ];
}

function figuresOf(
  pool: string, served: { readonly session: Session; readonly device: string } | undefined, problems: number, hostDirectory: string, devices: OpenDevices,
): SessionFigures {
  if (served === undefined) return { pool, mounted: false, problems, operations: [], requestTimeoutSeconds: hostTimeout() };
  const { session, device } = served;
  const bad = supervisedRecords(hostDirectory).find(({ id }) => id === session.id)?.bad ?? [];
  const { requestTimeoutSeconds } = session.record.agreement;
  const figures = {
    pool, mounted: true, problems: problems + session.problemCount + bad.length, badRanges: bad.length,
    ...(requestTimeoutSeconds === undefined ? {} : { requestTimeoutSeconds }),
  };
  const totals = readTotals(countersFile(hostDirectory, session.id));
  if (totals === undefined) return { ...figures, operations: [] };
  const entries = entriesOf(session.poolUuid, device, devices);
  return {
    ...figures,
    operations: countsOf(totals),
    restarts: totals.restarts,
    replay: {
      ageSeconds: Math.max(0, monotonicMs() - totals.lookedAtMs) / 1000,
      ...(entries === undefined ? {} : { lagEntries: Math.max(0, entries - totals.replayed) }),
    },
  };
}

/** What a session that is mounted now would have, in seconds. */
export function hostTimeout(): number {
  const timeouts = hostTimeouts();
  return timeoutInForce(timeouts, timeoutToAskFor(timeouts));
}

/** What was asked for at least once. Opcodes that nobody knows are counted as 0. */
function countsOf({ operations: counts, errors }: CounterTotals): SessionFigures['operations'] {
  return counts.map((count, opcode) => ({ operation: operations[opcode]?.name ?? 'UNKNOWN', count, errors: errors[opcode]! }))
    .filter(({ count }) => count > 0);
}

/** Entries of a pool's log at this moment, by its own counter; undefined where that cannot be read. */
function entriesOf(poolUuid: string, device: string, devices: OpenDevices): number | undefined {
  try {
    return devices.look(device, (memory) => {
      const { log, capacity, superblock: { uuid } } = readGeometry(memory);
      return uuid === poolUuid ? Math.min(capacity, readCounters(log).nextIndex) : undefined;
    });
  } catch (error) {
    if (error instanceof FamfsError) return undefined;
    throw error;
  }
}
