/** A file or directory in one line, as every reader has to see it: `f a/data 8192 2097152+8192`. */
export type Line = string;

export type Lines = ReadonlySet<Line>;

export const fileLine = (path: string, size: number, extents: readonly { offset: number; length: number }[]): Line =>
  `f ${path} ${size} ${extents.map(({ offset, length }) => `${offset}+${length}`).join(' ')}`;

export const directoryLine = (path: string): Line => `d ${path}`;

export const isFile = (line: Line): boolean => line.startsWith('f ');

export const pathOf = (line: Line): string => line.split(' ')[1];

/** The memory of a file; a directory has none. */
export function extentsOf(line: Line): { start: number; end: number }[] {
  if (!isFile(line)) return [];
  return line.split(' ').slice(3).map((extent) => {
    const [offset, length] = extent.split('+').map(Number);
    return { start: offset, end: offset + length };
  });
}

export const within = (a: Lines, b: Lines): boolean => [...a].every((line) => b.has(line));

export const same = (a: Lines, b: Lines): boolean => a.size === b.size && within(a, b);

export const minus = (a: Lines, b: Lines): Line[] => [...a].filter((line) => !b.has(line));

export const both = (a: Lines, b: Lines): Set<Line> => new Set([...a].filter((line) => b.has(line)));

/** For a person. */
export const text = (lines: Lines): string => [...lines].sort().map((line) => `  ${line}`).join('\n');
