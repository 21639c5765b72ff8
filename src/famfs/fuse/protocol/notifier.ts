import { NotifyCode, NotifyInvalInodeOut, OutHeader, ROOT_ID } from './abi.ts';
import { notify } from './channel.ts';

/**
 * Tells the kernel what it must not believe any longer. A notification can wait until a worker has
 * answered the WRITE of a dirty page: so it is never sent by a worker, nor by the replay thread, for
 * which workers wait.
 */
export class Notifier {
  readonly #fd: number;
  readonly #epoch: boolean;
  readonly #inode = Buffer.alloc(OutHeader.size + NotifyInvalInodeOut.size);
  readonly #send: typeof notify;

  constructor(fd: number, epoch: boolean, send: typeof notify = notify) {
    this.#fd = fd;
    this.#epoch = epoch;
    this.#send = send;
    this.#inode.writeUInt32LE(this.#inode.length, OutHeader.len);
    this.#inode.writeInt32LE(NotifyCode.InvalInode, OutHeader.error);
  }

  /** Every cached name is to be looked up again. Older kernels keep names for a second anyway. */
  names(): void {
    if (this.#epoch) this.#tell(NotifyCode.IncEpoch);
  }

  /** Requests that were taken and not answered are to be had again. Linux 6.9 and later. */
  resend(): void {
    this.#tell(NotifyCode.Resend);
  }

  /** The attributes of a node have changed. False where the kernel does not know that node. */
  attributes(node: number): boolean {
    return this.#invalidate(node, -1n);
  }

  /** Whether the file system is still mounted, anywhere: the kernel knows its root as long. */
  isMounted(): boolean {
    return this.attributes(ROOT_ID);
  }

  /** A node is gone: its attributes, and the pages that mappings of it hold. */
  removed(node: number): void {
    this.#invalidate(node, 0n);
  }

  /** A message that is nothing but its code. */
  #tell(code: number): void {
    const message = Buffer.alloc(OutHeader.size);
    message.writeUInt32LE(message.length, OutHeader.len);
    message.writeInt32LE(code, OutHeader.error);
    this.#send(this.#fd, message);
  }

  #invalidate(node: number, offset: bigint): boolean {
    const body = OutHeader.size;
    this.#inode.writeBigUInt64LE(BigInt(node), body + NotifyInvalInodeOut.ino);
    this.#inode.writeBigInt64LE(offset, body + NotifyInvalInodeOut.off);
    this.#inode.writeBigInt64LE(0n, body + NotifyInvalInodeOut.len); // 0: to the end
    return this.#send(this.#fd, this.#inode);
  }
}
