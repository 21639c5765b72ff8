/** A line of /proc/self/mountinfo, as far as we need it. */
export interface Mount {
  /** Device number of the file system, `major:minor`: equal for all mounts of one session. */
  readonly device: string;
  /** Which directory of the file system is mounted. */
  readonly root: string;
  readonly path: string;
  /** Options of this mount, not of its file system. */
  readonly options: ReadonlySet<string>;
  readonly fsType: string;
}

/** All mounts, in the order in which they were made: of two at one path the last one is visible. */
export function parseMountInfo(text: string): Mount[] {
  return text.split('\n').filter((line) => line !== '').map((line) => {
    const [ours, fileSystem = ''] = line.split(' - ');
    const [, , device = '', root = '', path = '', options = ''] = ours!.split(' ');
    return {
      device,
      root: unescape(root),
      path: unescape(path),
      options: new Set(options.split(',')),
      fsType: fileSystem.split(' ')[0]!,
    };
  });
}

/** The kernel writes blanks, tabs, newlines and backslashes as three octal digits of a byte. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_match, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}
