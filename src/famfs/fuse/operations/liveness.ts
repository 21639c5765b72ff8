import { Liveness } from '../../index/index-view.ts';
import { ROOT_ID } from '../protocol/abi.ts';
import type { FileSystem } from './file-system.ts';

/**
 * Whether a node still exists: one load from the log that all hosts share, so that a file removed on
 * one host is gone on every other with the next operation, through handles opened before, too.
 */
export function isLive(fs: FileSystem, node: number): boolean {
  return node === ROOT_ID || fs.index.liveness(node) === Liveness.Live;
}
