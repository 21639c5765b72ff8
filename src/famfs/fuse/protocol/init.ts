import { FamfsError } from '../../errors.ts';
import { MIB } from '../../units.ts';
import { InHeader, InitFlag, InitFlag2, InitIn, InitOut, MINOR_WITH_EPOCH, Opcode } from './abi.ts';
import type { Call } from './call.ts';
import { hostTimeouts, timeoutInForce, timeoutLimitation, timeoutToAskFor } from './request-timeout.ts';

/**
 * What a session agreed on with the kernel: all that a serving child needs to know of INIT. It is kept in
 * the session's record, so its fields keep their names.
 */
export interface Agreement {
  readonly minor: number;
  readonly maxWrite: number;
  /**
   * FUSE_NOTIFY_INC_EPOCH is there: names and attributes may be cached for long. (An epoch of the kernel's
   * cache, not of a writer.)
   */
  readonly epoch: boolean;
  /** FUSE_NOTIFY_RESEND is there. */
  readonly resend: boolean;
  /** Mounts of the session may be id-mapped. Missing in records of older versions, which did not ask for it. */
  readonly idmap?: boolean;
  /** How long a request may wait before the kernel ends the session; 0 for any time. Missing in records of older versions. */
  readonly requestTimeoutSeconds?: number;
}

export const MAX_WRITE = MIB;
/** Of a READ, whose data passes through no buffer of ours. The kernel takes less where its own limit is lower. */
const MAX_PAGES = 1024;
const OUR_MAJOR = 7;
const OUR_MINOR = 45;
/** Linux 5.17: the first whose INIT has 64 flags. Older ones lack more than we could work round. */
const OLDEST_MINOR = 36;

const wanted = InitFlag.AsyncRead | InitFlag.BigWrites | InitFlag.DoReaddirplus | InitFlag.ReaddirplusAuto |
  InitFlag.ParallelDirops | InitFlag.MaxPages | InitFlag.HandleKillprivV2 | InitFlag.InitExt;
const wanted2 = InitFlag2.DirectIoAllowMmap | InitFlag2.HasResend | InitFlag2.AllowIdmap;

/**
 * Answers INIT, the first request of a mount: fills the reply and tells what was agreed.
 *
 * Not asked for: WRITEBACK_CACHE (a write would stay in this host's page cache), AUTO_INVAL_DATA
 * (a GETATTR for each cached read), ATOMIC_O_TRUNC (truncation comes as SETATTR, and is refused
 * there). HANDLE_KILLPRIV_V2 spares a GETXATTR for each write and makes the set-id bits our job.
 * ALLOW_IDMAP ends a mount without default_permissions, which `mountFuse` always asks for.
 *
 * Where the host has a default for how long a request may wait, more is asked for (`timeouts`): a session
 * promises to survive for longer.
 *
 * Throws FamfsError UNSUPPORTED for a kernel that is too old.
 */
export function answerInit(call: Call, timeouts = hostTimeouts()): Agreement {
  if (call.opcode !== Opcode.Init || call.length < InHeader.size + InitIn.size) {
    throw new FamfsError('UNSUPPORTED', `the first request of the mount is not an INIT we know: opcode ${call.opcode}, ` +
      `${call.length} bytes; Linux 6.6 or newer is needed`);
  }
  const major = call.u32(InitIn.major);
  const offered = call.u32(InitIn.minor);
  if (major !== OUR_MAJOR || offered < OLDEST_MINOR) {
    throw new FamfsError('UNSUPPORTED', `this kernel speaks FUSE ${major}.${offered}; Linux 6.6 or newer is needed`);
  }
  const flags = call.u32(InitIn.flags) & wanted;
  const asked = (call.u32(InitIn.flags2) & InitFlag2.RequestTimeout) === 0 ? 0 : timeoutToAskFor(timeouts);
  const flags2 = (call.u32(InitIn.flags2) & wanted2) | (asked > 0 ? InitFlag2.RequestTimeout : 0);
  const minor = Math.min(offered, OUR_MINOR);

  call.body(InitOut.size);
  call.put32(InitOut.major, OUR_MAJOR);
  call.put32(InitOut.minor, minor);
  call.put32(InitOut.maxReadahead, call.u32(InitIn.maxReadahead));
  call.put32(InitOut.flags, flags);
  call.put32(InitOut.flags2, flags2);
  call.put32(InitOut.maxBackground, 64 | (48 << 16)); // and congestion_threshold
  call.put32(InitOut.maxWrite, MAX_WRITE);
  call.put32(InitOut.timeGran, 1);
  call.put32(InitOut.maxPages, MAX_PAGES); // and map_alignment 0
  call.put32(InitOut.requestTimeout, asked);
  return {
    minor,
    maxWrite: MAX_WRITE,
    epoch: minor >= MINOR_WITH_EPOCH,
    resend: (flags2 & InitFlag2.HasResend) !== 0,
    idmap: (flags2 & InitFlag2.AllowIdmap) !== 0,
    requestTimeoutSeconds: timeoutInForce(timeouts, asked),
  };
}

/** What this kernel lacks, or is set to, in words, to be said once when a session starts. */
export function limitations(agreement: Agreement): string[] {
  const { minor, requestTimeoutSeconds: seconds = 0 } = agreement;
  const limits: string[] = [];
  if (minor < 39) limits.push('shared mmap is refused with ENODEV (needs Linux 6.6)');
  if (!agreement.resend) limits.push('a serving process that dies takes the mount with it (needs Linux 6.9)');
  if (!agreement.idmap) limits.push(`pods with hostUsers: false cannot use the pool (${minor < 41 ? 'needs Linux 6.12' : 'an earlier version mounted it'})`);
  if (!agreement.epoch) limits.push('names and attributes are cached for 1 s only (needs Linux 6.16)');
  const timeout = timeoutLimitation(seconds);
  return timeout === undefined ? limits : [...limits, timeout];
}
