/** Linux error numbers, positive; the wire carries them negated. `OK` is the absence of one. */
export const Errno = Object.freeze({
  OK: 0,
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EACCES: 13,
  EBUSY: 16,
  EISDIR: 21,
  EINVAL: 22,
  ENOTTY: 25,
  ENOSPC: 28,
  EROFS: 30,
  ERANGE: 34,
  ENOSYS: 38,
  ENODATA: 61,
  EOPNOTSUPP: 95,
  ESTALE: 116,
} as const);

export type Errno = (typeof Errno)[keyof typeof Errno];

/** The name of an error number, for messages. */
export function errnoName(errno: number): string {
  return Object.entries(Errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
}

/** Whether a failure of node:fs is ESTALE, what a deleted file answers; Node.js has no name for it. */
export function isStale(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).errno === -Errno.ESTALE;
}
