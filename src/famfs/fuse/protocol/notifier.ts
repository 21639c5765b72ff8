import { NotifyCode, NotifyInvalInodeOut, OutHeader, ROOT_ID } from './abi.ts';
import { notify } from './channel.ts';

/**
 * Tells the kernel to drop what it caches and what is no longer so. A notification can wait until a worker has
 * answered the WRITE of a dirty page: so it is never sent by a worker, nor by the replay thread, for
 * which workers wait.
 */
export class Notifier {
  readonly #fd: number;
  readonly #epoch: boolean;
  readonly #inode = Buffer.alloc(OutHeader.size + NotifyInvalInodeOut.size);
  readonly #notify: typeof notify;

  constructor(fd: number, epoch: boolean, send: typeof notify = notify) {
    this.#fd = fd;
    this.#epoch = epoch;
    this.#notify = send;
    this.#inode.writeUInt32LE(this.#inode.length, OutHeader.len);
    this.#inode.writeInt32LE(NotifyCode.InvalInode, OutHeader.error);
  }

  /** Every cached name is to be looked up again. Before Linux 6.16 names are cached for a second only. */
  invalidateNames(): void {
    if (this.#epoch) this.#send(NotifyCode.IncEpoch);
  }

  /** Has the kernel hand out again what was taken and not answered. Linux 6.9 and later. */
  resend(): void {
    this.#send(NotifyCode.Resend);
  }

  /** The attributes of a node have changed. False where the kernel does not know that node. */
  invalidateAttributes(node: number): boolean {
    return this.#invalidate(node, -1n);
  }

  /** Whether the file system is still mounted, anywhere: the kernel knows its root as long. */
  isMounted(): boolean {
    return this.invalidateAttributes(ROOT_ID);
  }

  /** A node is gone: drops its attributes, and the pages that mappings of it hold. */
  invalidateNode(node: number): void {
    this.#invalidate(node, 0n);
  }

  /** A message that is nothing but its code. */
  #send(code: number): void {
    const message = Buffer.alloc(OutHeader.size);
    message.writeUInt32LE(message.length, OutHeader.len);
    message.writeInt32LE(code, OutHeader.error);
    this.#notify(this.#fd, message);
  }

  #invalidate(node: number, offset: bigint): boolean {
    const body = OutHeader.size;
    this.#inode.writeBigUInt64LE(BigInt(node), body + NotifyInvalInodeOut.ino);
    this.#inode.writeBigInt64LE(offset, body + NotifyInvalInodeOut.off);
    this.#inode.writeBigInt64LE(0n, body + NotifyInvalInodeOut.len); // 0: to the end
    return this.#notify(this.#fd, this.#inode);
  }
}
