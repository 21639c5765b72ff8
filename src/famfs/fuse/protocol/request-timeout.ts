import fs from 'node:fs';
import path from 'node:path';

/**
 * How long this host's kernel lets a request wait before it ends the session, in seconds; 0 for any time. See
 * `fs.fuse` in Documentation/admin-guide/sysctl/fs.rst, Linux 6.15. What holds for a session is agreed on in INIT.
 */
export interface RequestTimeouts {
  /** For servers that ask for no time. */
  readonly defaultSeconds: number;
  /** For all servers. */
  readonly maxSeconds: number;
}

/** The longest time that can be asked for: `request_timeout` of INIT has 16 bits. */
const LONGEST_TIMEOUT_SECONDS = 65_535;
/** The kernel looks this often, FUSE_TIMEOUT_TIMER_FREQ, and takes no shorter time. */
const SHORTEST_TIMEOUT_SECONDS = 15;

/** What this host is set to. Kernels that know no timeouts have none. */
export function hostTimeouts(sysctls = '/proc/sys/fs/fuse'): RequestTimeouts {
  const read = (name: string) => {
    try {
      return Number(fs.readFileSync(path.join(sysctls, name), 'utf8')) || 0;
    } catch {
      return 0;
    }
  };
  return { defaultSeconds: read('default_request_timeout'), maxSeconds: read('max_request_timeout') };
}

/** What to ask for, so that a session may wait for its next data plane; 0 to ask for nothing. */
export function timeoutToAskFor({ defaultSeconds }: RequestTimeouts): number {
  return defaultSeconds > 0 ? LONGEST_TIMEOUT_SECONDS : 0;
}

/** What then holds, by the rules of the kernel's init_server_timeout(). */
export function timeoutInForce({ defaultSeconds, maxSeconds }: RequestTimeouts, asked: number): number {
  const wanted = asked > 0 ? asked : defaultSeconds;
  const seconds = maxSeconds > 0 && wanted > 0 ? Math.min(wanted, maxSeconds) : wanted || maxSeconds;
  return seconds === 0 ? 0 : Math.max(seconds, SHORTEST_TIMEOUT_SECONDS);
}

/** What it means for sessions that this holds, in words; undefined where it is no matter to them. */
export function timeoutLimitation(seconds: number): string | undefined {
  if (seconds === 0 || seconds === LONGEST_TIMEOUT_SECONDS) return undefined;
  return `a session ends when a request of it waits for ${seconds} s, as while its data plane is away (set sysctl fs.fuse.max_request_timeout to 0)`;
}
