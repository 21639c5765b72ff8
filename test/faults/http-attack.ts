/** What whoever reaches a role's port can do to its HTTP endpoint, and whether the kubelet is answered meanwhile. */
import assert from 'node:assert/strict';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { heldBy } from '../soak/processes.ts';
import { LineProcess } from '../support/line-process.ts';

/** Requests whose headers never end; connections that say nothing; scrapes, one after the other. */
export type HttpAttack = 'unfinished' | 'idle' | 'scrapes';

/** A role as it is attacked. */
export interface AttackedRole {
  readonly pid: number;
  /** Of /healthz. */
  readonly port: number;
}

export interface HttpAttackFigures {
  /** Connections that the attackers had. */
  readonly connections: number;
  /** Questions whether the role is alive, and the longest time that one took. */
  readonly checks: number;
  readonly longestMs: number;
  /** The most that the role had at one time: bytes of anonymous memory, and open files. */
  readonly mostBytes: number;
  readonly mostFiles: number;
}

const ATTACKER = fileURLToPath(new URL('./http-attacker.ts', import.meta.url));
/**
 * How long an answer may take: much longer than the chart gives a liveness probe, so that no test fails because the
 * machine is slow. The campaign judges the longest time itself.
 */
const PROBE_TIMEOUT_MS = 60_000;
const CHECK_EVERY_MS = 50;
/** An address that is not the one that health checks come from, as a pod's is not its node's. */
const ELSEWHERE = '127.0.0.2';

/**
 * Attacks the endpoint of a role by so many clients at once, for a while, and asks meanwhile again and again whether
 * it is alive, as the kubelet does. Throws AssertionError where one answer is missing.
 */
export async function attackHttp(
  { pid, port }: AttackedRole, shape: HttpAttack, clients: number, forMs: number, from = ELSEWHERE,
): Promise<HttpAttackFigures> {
  const attacker = LineProcess.ofScript(ATTACKER, String(port), shape, String(clients), from);
  const figures = { checks: 0, longestMs: 0, mostBytes: 0, mostFiles: 0 };
  try {
    await attacker.hear();
    for (const began = performance.now(); performance.now() - began < forMs; await sleep(CHECK_EVERY_MS)) {
      figures.longestMs = Math.max(figures.longestMs, await checkHealth(port));
      figures.checks++;
      const held = heldBy(pid);
      assert.ok(held, `the role has ended under ${shape}`);
      figures.mostBytes = Math.max(figures.mostBytes, held.rssAnon);
      figures.mostFiles = Math.max(figures.mostFiles, held.fds);
    }
    attacker.signal('SIGTERM');
    return { connections: Number(await attacker.hear()), ...figures };
  } finally {
    await attacker.kill();
  }
}

/** Asks by a connection of its own, as probes do; answers the milliseconds that it took. */
function checkHealth(port: number): Promise<number> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const timeout = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    const request = http.get({ host: '127.0.0.1', port, path: '/healthz', agent: false, signal: timeout }, (response) => {
      response.resume();
      response.once('end', () => (response.statusCode === 200 ? resolve(performance.now() - began) : reject(new Error(`/healthz answers ${response.statusCode}`))));
    });
    request.once('error', (error) => {
      const ms = Math.round(performance.now() - began);
      reject(new assert.AssertionError({ message: `/healthz is not answered, after ${ms} ms: ${timeout.aborted ? 'no answer' : error.message}` }));
    });
  });
}
