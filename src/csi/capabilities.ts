import type { VolumeCapability__Output } from '../generated/csi/v1/VolumeCapability.ts';
import { refuse } from './errors.ts';

/** The ways a volume can be accessed, by the names of the CSI specification. */
export type AccessMode = Exclude<NonNullable<VolumeCapability__Output['access_mode']>['mode'], 'UNKNOWN'>;

/** How a volume is asked for: a mount, with these options. */
export interface Access {
  readonly mode: AccessMode;
  readonly mountFlags: readonly string[];
  /** Group that everything below the mount is presented with. */
  readonly group?: number;
}

/** Options of a bind mount that we can really honour. `nosuid` and `nodev` are always set. */
const MOUNT_FLAGS = new Set([
  'ro', 'rw', 'exec', 'noexec', 'nosuid', 'nodev', 'atime', 'noatime', 'diratime', 'nodiratime', 'relatime', 'norelatime', 'strictatime',
]);

/** Reads a capability. Throws INVALID_ARGUMENT naming what is missing or what we do not offer. */
export function parseAccess(capability: VolumeCapability__Output | null | undefined): Access {
  if (!capability) throw refuse.invalid('volume_capability is required');
  const problem = problemWith(capability);
  if (problem !== undefined) throw refuse.invalid(problem);
  const mount = capability.mount!;
  const group = mount.volume_mount_group === '' ? {} : { group: Number(mount.volume_mount_group) };
  return { mode: capability.access_mode!.mode as AccessMode, mountFlags: mount.mount_flags, ...group };
}

/** Why a capability cannot be had here, in words, or undefined where it can. */
export function problemWith(capability: VolumeCapability__Output): string | undefined {
  const mode = capability.access_mode?.mode;
  if (mode === undefined || mode === 'UNKNOWN') return 'access_mode is required';
  if (capability.block) return 'block volumes are not offered: a famfs volume is a directory of files, use a mount volume';
  if (!capability.mount) return 'access_type is required';
  const { fs_type: fsType, mount_flags: flags, volume_mount_group: group } = capability.mount;
  if (fsType !== '' && fsType !== 'famfs') return `fs_type ${JSON.stringify(fsType)} is not offered: leave it out or say "famfs"`;
  const unknown = flags.find((flag) => !MOUNT_FLAGS.has(flag));
  if (unknown !== undefined) return `mount flag ${JSON.stringify(unknown)} is not offered; known are ${[...MOUNT_FLAGS].join(', ')}`;
  if (group !== '' && !isId(group)) return `volume_mount_group ${JSON.stringify(group)} is not a numeric group id`;
  return undefined;
}

/** The volume can never be written through this mode. */
export function isReaderOnly(mode: AccessMode): boolean {
  return mode === 'MULTI_NODE_READER_ONLY' || mode === 'SINGLE_NODE_READER_ONLY';
}

/** ReadWriteOncePod: nobody else may have the directory, not even for reading, and not under another handle. */
export function isExclusive(mode: AccessMode): boolean {
  return mode === 'SINGLE_NODE_SINGLE_WRITER';
}

/** The volume may be on one node at a time. */
export function isSingleNode(mode: AccessMode): boolean {
  return mode.startsWith('SINGLE_NODE_');
}

/** The volume may be published at one target path at a time (the specification's table of second publishes). */
export function isSingleTarget(mode: AccessMode): boolean {
  return isSingleNode(mode) && mode !== 'SINGLE_NODE_MULTI_WRITER';
}

/** A uid or gid in decimal digits. */
export function isId(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) < 0xffff_ffff;
}
