import { isId } from '../../csi/capabilities.ts';
import { refuse } from '../../csi/errors.ts';

/** What a storage class says about its volumes. */
export interface ClassParameters {
  /** Name or UUID of the pool. */
  readonly pool?: string;
  readonly uid: number;
  readonly gid: number;
  readonly fileMode: number;
  readonly directoryMode: number;
  /** As given, without what the provisioner added: what the volume's record keeps. */
  readonly given: Readonly<Record<string, string>>;
}

/** Names and namespaces of claims, which the provisioner adds when asked to. We have no use for them. */
const FROM_PROVISIONER = 'csi.storage.k8s.io/';
const KNOWN = ['pool', 'uid', 'gid', 'mode'] as const;
const DEFAULT_MODE = 0o644;

/** Reads a class's parameters. Throws INVALID_ARGUMENT naming the first that cannot be honoured. */
export function parseParameters(parameters: Readonly<Record<string, string>>): ClassParameters {
  const given = Object.fromEntries(Object.entries(parameters).filter(([key]) => !key.startsWith(FROM_PROVISIONER)).sort());
  for (const key of Object.keys(given)) {
    if (!(KNOWN as readonly string[]).includes(key)) {
      throw refuse.invalid(`unknown parameter ${JSON.stringify(key)}; known are ${KNOWN.join(', ')}`);
    }
  }
  const mode = parseMode(given['mode']);
  return {
    ...(given['pool'] === undefined ? {} : { pool: given['pool'] }),
    uid: parseOwner('uid', given['uid']),
    gid: parseOwner('gid', given['gid']),
    fileMode: mode & 0o666,
    // Whoever may read the files may enter the directory: 0644 gives 0755, 0660 gives 0770.
    directoryMode: mode | ((mode & 0o444) >> 2),
    given,
  };
}

/** Whether two sets of parameters ask for the same thing. */
export function sameParameters(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key]);
}

function parseOwner(key: 'uid' | 'gid', text: string | undefined): number {
  if (text === undefined) return 0;
  if (!isId(text)) throw refuse.invalid(`parameter ${key}: ${JSON.stringify(text)} is not a numeric id`);
  return Number(text);
}

function parseMode(text: string | undefined): number {
  if (text === undefined) return DEFAULT_MODE;
  if (!/^0?[0-7]{3}$/.test(text)) {
    throw refuse.invalid(`parameter mode: ${JSON.stringify(text)} is not an octal mode such as 0660`);
  }
  return parseInt(text, 8);
}
