import fs from 'node:fs';
import { OutHeader } from './abi.ts';
import type { Call, ReplyWindow } from './call.ts';
import { Errno } from './errno.ts';

/** The system calls a channel makes; a test can put its own in their place. */
export interface ChannelIo {
  readSync(fd: number, into: Uint8Array): number;
  writevSync(fd: number, parts: readonly Uint8Array[]): number;
}

const system: ChannelIo = {
  readSync: (fd, into) => fs.readSync(fd, into, 0, into.length, null),
  writevSync: (fd, parts) => fs.writevSync(fd, parts as Uint8Array[]),
};

/**
 * Waits for a request: its length, or undefined when the file system has been unmounted. An
 * interrupted read is repeated, and ENOENT too: that request was cancelled before we had it.
 */
export function receive(fd: number, into: Uint8Array, io: ChannelIo = system): number | undefined {
  for (;;) {
    try {
      return io.readSync(fd, into);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? '';
      if (code === 'ENODEV') return undefined;
      if (!['EINTR', 'EAGAIN', 'ENOENT'].includes(code)) throw error;
    }
  }
}

/**
 * Sends a finished reply. A request that is gone, or an unmount, is nobody's error. The kernel
 * cannot take pages from some mappings (EFAULT): then the data goes through a buffer of ours, unless
 * that memory cannot be read at all, which is EIO.
 */
export function send(fd: number, call: Call, isReadable: (window: ReplyWindow) => boolean = () => true, io: ChannelIo = system): void {
  if (trySend(fd, parts(call), io)) return;
  if (call.windows?.every(isReadable)) {
    const [head, ...windows] = parts(call);
    if (trySend(fd, [head, Buffer.concat(windows)], io)) return;
  }
  call.finish(Errno.EIO);
  trySend(fd, parts(call), io);
}

/** Sends a message that answers no request: a notification. False when it did not apply. */
export function notify(fd: number, message: Uint8Array, io: ChannelIo = system): boolean {
  try {
    io.writevSync(fd, [message]);
    return true;
  } catch (error) {
    // ENOENT: the kernel does not know that inode. ENODEV, ENOTCONN: unmounted. EINVAL: an old kernel.
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (['ENOENT', 'ENODEV', 'ENOTCONN', 'EINVAL'].includes(code)) return false;
    throw error;
  }
}

function parts(call: Call): readonly Uint8Array[] {
  const head = call.reply.subarray(0, OutHeader.size + call.bodyLength);
  return call.windows === undefined ? [head] : [head, ...call.windows.map(({ bytes }) => bytes)];
}

/** False when the kernel could not read the memory. A FUSE device takes a reply whole or not at all. */
function trySend(fd: number, message: readonly Uint8Array[], io: ChannelIo): boolean {
  try {
    io.writevSync(fd, message);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EFAULT') return false;
    if (code === 'ENOENT' || code === 'ENODEV') return true;
    throw error;
  }
}
