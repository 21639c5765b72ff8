/**
 * The command-line program, which kills itself after so many stores to shared memory:
 *
 *     node doomed.ts STORES controller ...
 *
 * Nothing is done on the way out; what stands in memory then is what a power failure of the host
 * would leave. Stores are words of 8 bytes; what is zeroed outside the metadata counts as one.
 */
import { MappedDevice } from '../../src/famfs/device/mapped-device.ts';
import { Region } from '../../src/famfs/device/region.ts';

const WORD = 8;
let left = Number(process.argv.splice(2, 1)[0]);

function stored(): void {
  if (--left === 0) process.kill(process.pid, 'SIGKILL');
}

const { store64, store, zero } = Region.prototype;
Region.prototype.store64 = function (offset, value) {
  store64.call(this, offset, value);
  stored();
};
Region.prototype.store = function (offset, bytes) {
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + WORD - ((offset + at) % WORD));
    store.call(this, offset + at, bytes.subarray(at, end));
    stored();
    at = end;
  }
};
Region.prototype.zero = function (offset, length) {
  for (let at = offset; at < offset + length; at += WORD) {
    zero.call(this, at, Math.min(WORD, offset + length - at));
    stored();
  }
};
const clear = MappedDevice.prototype.zero;
MappedDevice.prototype.zero = function (offset, length) {
  clear.call(this, offset, length);
  stored();
};

await import('../../src/main.ts');
