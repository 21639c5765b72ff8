/** The log that the replay bench reads: a million entries in a gigabyte. */
export const ENTRIES = 1_000_000;
export const LOG = 2 ** 30;
