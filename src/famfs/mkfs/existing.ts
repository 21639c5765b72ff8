import { hasFormatMarker } from '../format/format-marker.ts';
import { decodeSuperblock, foreignFormat, Superblock, superblockCopy, superblockProblem, withMagic } from '../format/superblock.ts';

/**
 * Why the device whose superblock region begins with `head` should not be formatted without force,
 * as the rest of a sentence; or undefined when nothing of a famfs is there.
 */
export function describeExisting(head: Buffer): string | undefined {
  const problem = superblockProblem(head);
  const { magic, version, uuid } = decodeSuperblock(head);
  if (problem === undefined) return `holds the famfs ${uuid}; --force destroys it`;
  const hasMagic = magic === Superblock.magic;
  if (!hasMagic && hasFormatMarker(head)) {
    return 'is being formatted by somebody else, or a formatting of it was interrupted; --force begins anew';
  }
  const copy = superblockCopy(head);
  const foreign = foreignFormat(head) ?? foreignFormat(withMagic(head)) ?? foreignFormat(copy);
  if (foreign !== undefined) return `holds a famfs of format ${foreign}, which this program does not know; --force destroys it`;
  if (superblockProblem(copy) === undefined) {
    return `holds the famfs ${decodeSuperblock(copy).uuid}, damaged (${problem}) but with a sound copy of its superblock ` +
      'at byte 2048: "famfs-csi adopt" may repair it; --force destroys it';
  }
  if (hasMagic && version !== Superblock.version) return `holds a famfs of version ${version}; --force destroys it`;
  if (hasMagic || superblockProblem(withMagic(head)) === undefined) {
    return `holds the famfs ${uuid}, damaged (superblock: ${problem}): its files may still be there, "famfs-csi fsck" looks at it; --force destroys it`;
  }
  return undefined;
}
