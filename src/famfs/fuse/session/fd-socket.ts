import fs from 'node:fs';
import koffi from 'koffi';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoName } from '../../device/libc.ts';
import { FamfsError, messageOf } from '../../errors.ts';

/**
 * Sockets that carry open files (SCM_RIGHTS, see unix(7)), which those of Node.js do not. Nothing here
 * ever waits in a system call: who waits looks again and again.
 */
const libc = koffi.load(null);

const socketCall = libc.func('int socket(int domain, int type, int protocol)');
const bindCall = libc.func('int bind(int fd, void *address, uint32_t length)');
const listenCall = libc.func('int listen(int fd, int backlog)');
const acceptCall = libc.func('int accept4(int fd, void *address, void *length, int flags)');
const connectCall = libc.func('int connect(int fd, void *address, uint32_t length)');
const sendCall = libc.func('int64_t sendmsg(int fd, void *message, int flags)');
const receiveCall = libc.func('int64_t recvmsg(int fd, void *message, int flags)');

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5; // a message is sent and received as a whole
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CTRUNC = 0x8;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const BACKLOG = 64;

/** sun_path, with its terminating zero. */
const PATH_SIZE = 108;
const TEXT_SIZE = 4096;

/** struct msghdr on 64 bits, one iovec, and a control message that holds one descriptor. */
const MsgHdr = { size: 56, iov: 16, iovCount: 24, control: 32, controlLength: 40, flags: 48 } as const;
const CmsgHdr = { size: 20, length: 0, level: 8, type: 12, fd: 16 } as const; // and no room for another
const Layout = { header: 0, iov: 64, control: 80, text: 128, size: 128 + TEXT_SIZE } as const;

const POLL_MS = 5;

/** What goes over such a socket: one JSON value, and perhaps an open file. */
export interface FdMessage {
  readonly value: unknown;
  readonly fd?: number;
}

/** One end of a connection. */
export class FdSocket {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Connects to a socket file. Throws FamfsError NOT_FOUND when there is none, DEVICE when nobody listens at it. */
  static connect(path: string): FdSocket {
    const address = addressOf(path);
    const fd = open();
    if (connectCall(fd, address, address.length) !== 0) {
      const reason = errnoName(koffi.errno());
      fs.closeSync(fd);
      throw new FamfsError(reason === 'ENOENT' ? 'NOT_FOUND' : 'DEVICE', `nobody listens at ${path}: ${reason}`);
    }
    return new FdSocket(fd);
  }

  /** Sends a message; the file stays open here too. Throws FamfsError DEVICE when the other end is gone. */
  send({ value, fd }: FdMessage): void {
    const text = Buffer.from(JSON.stringify(value));
    if (text.length > TEXT_SIZE) throw new FamfsError('INVALID', `a message of ${text.length} bytes is longer than ${TEXT_SIZE}`);
    const memory = messageMemory(text.length, fd !== undefined);
    memory.set(text, Layout.text);
    if (fd !== undefined) {
      memory.writeBigUInt64LE(BigInt(CmsgHdr.size), Layout.control + CmsgHdr.length);
      memory.writeInt32LE(SOL_SOCKET, Layout.control + CmsgHdr.level);
      memory.writeInt32LE(SCM_RIGHTS, Layout.control + CmsgHdr.type);
      memory.writeInt32LE(fd, Layout.control + CmsgHdr.fd);
    }
    if (Number(sendCall(this.#fd, memory, MSG_NOSIGNAL)) < 0) throw new FamfsError('DEVICE', `nothing can be sent: ${errnoName(koffi.errno())}`);
  }

  /**
   * The next message, if there is one already. A file that came with it is the caller's to close.
   * Throws FamfsError DEVICE when the other end is gone, or what it sent is no message.
   */
  poll(): FdMessage | undefined {
    const memory = messageMemory(TEXT_SIZE, true);
    const length = Number(receiveCall(this.#fd, memory, MSG_CMSG_CLOEXEC));
    if (length < 0) {
      const reason = errnoName(koffi.errno());
      if (reason === 'EAGAIN' || reason === 'EINTR') return undefined;
      throw new FamfsError('DEVICE', `nothing can be received: ${reason}`);
    }
    const fd = receivedFile(memory);
    try {
      if (length === 0) throw new FamfsError('DEVICE', 'the other end has closed the connection');
      const value = JSON.parse(memory.toString('utf8', Layout.text, Layout.text + length)) as unknown;
      return fd === undefined ? { value } : { value, fd };
    } catch (error) {
      if (fd !== undefined) fs.closeSync(fd);
      throw error instanceof FamfsError ? error : new FamfsError('DEVICE', `what was received is no message: ${messageOf(error)}`);
    }
  }

  /** Waits for the next message, so long. Throws FamfsError DEVICE as `poll` does, or when none comes. */
  async receive(withinMs: number): Promise<FdMessage> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const message = this.poll();
      if (message !== undefined) return message;
      if (performance.now() > deadline) throw new FamfsError('DEVICE', `no answer within ${withinMs} ms`);
      await sleep(POLL_MS);
    }
  }

  close(): void {
    fs.closeSync(this.#fd);
  }
}

/** A socket file that others connect to. */
export class FdListener {
  readonly #fd: number;
  readonly #path: string;
  readonly #inode: bigint;

  /** Takes the place of what an earlier listener left there. Throws FamfsError DEVICE. */
  constructor(path: string) {
    const before = `${path}.new`;
    const address = addressOf(before);
    const fd = this.#fd = open();
    this.#path = path;
    fs.rmSync(before, { force: true });
    if (bindCall(fd, address, address.length) !== 0 || listenCall(fd, BACKLOG) !== 0) {
      const reason = errnoName(koffi.errno());
      fs.closeSync(fd);
      throw new FamfsError('DEVICE', `${path} cannot be listened at: ${reason}`);
    }
    fs.chmodSync(before, 0o600);
    this.#inode = fs.statSync(before, { bigint: true }).ino;
    fs.renameSync(before, path); // there is one at every moment
  }

  /** Whether another listener has taken its place. */
  get isReplaced(): boolean {
    return fs.statSync(this.#path, { bigint: true, throwIfNoEntry: false })?.ino !== this.#inode;
  }

  /** The next connection, if there is one already. */
  accept(): FdSocket | undefined {
    const fd = acceptCall(this.#fd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC) as number;
    return fd < 0 ? undefined : new FdSocket(fd);
  }

  /** The file stays: whoever finds nobody behind it knows that somebody was. */
  close(): void {
    fs.closeSync(this.#fd);
  }
}

function open(): number {
  const fd = socketCall(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) as number;
  if (fd < 0) throw new FamfsError('DEVICE', `no socket can be had: ${errnoName(koffi.errno())}`);
  return fd;
}

/** struct sockaddr_un. */
function addressOf(path: string): Buffer {
  const bytes = Buffer.from(path);
  if (bytes.length >= PATH_SIZE) throw new FamfsError('INVALID', `${path} is too long for a socket: ${bytes.length} bytes, at most ${PATH_SIZE - 1}`);
  const address = Buffer.alloc(2 + PATH_SIZE);
  address.writeUInt16LE(AF_UNIX, 0);
  address.set(bytes, 2);
  return address;
}

/** A msghdr and all it points to, in one piece of memory that does not move. */
function messageMemory(length: number, withFile: boolean): Buffer {
  const memory = Buffer.from(new ArrayBuffer(Layout.size));
  const base = BigInt(koffi.address(memory));
  memory.writeBigUInt64LE(base + BigInt(Layout.text), Layout.iov);
  memory.writeBigUInt64LE(BigInt(length), Layout.iov + 8);
  memory.writeBigUInt64LE(base + BigInt(Layout.iov), Layout.header + MsgHdr.iov);
  memory.writeBigUInt64LE(1n, Layout.header + MsgHdr.iovCount);
  if (!withFile) return memory;
  memory.writeBigUInt64LE(base + BigInt(Layout.control), Layout.header + MsgHdr.control);
  memory.writeBigUInt64LE(BigInt(CmsgHdr.size), Layout.header + MsgHdr.controlLength);
  return memory;
}

/** The descriptor that a message brought. One of several is closed: nobody who means well sends them. */
function receivedFile(memory: Buffer): number | undefined {
  const got = Number(memory.readBigUInt64LE(Layout.header + MsgHdr.controlLength));
  if (got < CmsgHdr.size) return undefined;
  const isFile = memory.readInt32LE(Layout.control + CmsgHdr.level) === SOL_SOCKET && memory.readInt32LE(Layout.control + CmsgHdr.type) === SCM_RIGHTS;
  if (!isFile) return undefined;
  const fd = memory.readInt32LE(Layout.control + CmsgHdr.fd);
  if ((memory.readInt32LE(Layout.header + MsgHdr.flags) & MSG_CTRUNC) === 0) return fd;
  fs.closeSync(fd);
  return undefined;
}
