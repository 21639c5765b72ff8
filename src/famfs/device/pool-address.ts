/**
 * One number for each byte of a pool's memory, whatever device it lies on: the device's index in the
 * pool times 2^48, plus the offset in bytes on that device. On the first device, address and offset are
 * the same.
 *
 * An address is a number to calculate with, never a place in a mapping: each device has a mapping of its
 * own, and nothing lies between the end of one and the beginning of the next. A range of addresses never
 * reaches from one device to another.
 */

/** Addresses of one device. No device is as large. */
export const DEVICE_SPAN = 2 ** 48;

/** Devices of a pool: the first and 23 more. All their addresses are exact in a double. */
export const DEVICES_MAX = 24;

/** The address of a byte, by the index of its device and its offset there in bytes. */
export function poolAddress(device: number, offset: number): number {
  return device * DEVICE_SPAN + offset;
}

/** The index of the device that an address is on. */
export function deviceOf(address: number): number {
  return Math.floor(address / DEVICE_SPAN);
}

/** Bytes from the beginning of that device. */
export function offsetOf(address: number): number {
  return address - deviceOf(address) * DEVICE_SPAN; // exact, and much quicker than the remainder of a double
}

/** A range for people and for reports: by device and offset, the device left out where it is the first. */
export function describeRange({ start, end }: { readonly start: number; readonly end: number }): { device?: number; offset: number; length: number } {
  const device = deviceOf(start);
  return { ...(device === 0 ? {} : { device }), offset: offsetOf(start), length: end - start };
}
