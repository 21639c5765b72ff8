/** A line of /proc/self/mountinfo, see proc_pid_mountinfo(5), as far as we need it. */
export interface MountPoint {
  /** `major:minor` of the file system: the same for all mounts of one session. */
  readonly deviceNumber: string;
  /** Which directory of the file system is mounted. */
  readonly root: string;
  /** Where it is mounted. */
  readonly directory: string;
  /** Options of this mount, not of its file system. */
  readonly options: ReadonlySet<string>;
  /** Of the file system, such as `fuse.famfs`. */
  readonly type: string;
  readonly source: string;
}

/** All mounts, in the order in which they were made: of two on one directory the last one is visible. */
export function parseMountinfo(text: string): MountPoint[] {
  return text.split('\n').filter((line) => line !== '').map((line) => {
    const fields = line.split(' ');
    const dash = fields.indexOf('-', 6); // optional fields come before it
    return {
      deviceNumber: fields[2],
      root: unescape(fields[3]),
      directory: unescape(fields[4]),
      options: new Set(fields[5].split(',')),
      type: fields[dash + 1],
      source: unescape(fields[dash + 2]),
    };
  });
}

/** The kernel writes blanks, tabs, newlines and backslashes as three octal digits of a byte. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}
