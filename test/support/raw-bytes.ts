/** A device's bytes as somebody sees and changes them who knows nothing of famfs. */
import fs from 'node:fs';

/** Changes bytes of a device as nobody of ours does. */
export function patch(device: string, at: number, bytes: Buffer): void {
  const fd = fs.openSync(device, 'r+');
  fs.writeSync(fd, bytes, 0, bytes.length, at);
  fs.closeSync(fd);
}

/** The first bytes of a device. */
export function head(device: string, length = 4096): Buffer {
  const bytes = Buffer.alloc(length);
  const fd = fs.openSync(device, 'r');
  fs.readSync(fd, bytes, 0, length, 0);
  fs.closeSync(fd);
  return bytes;
}
