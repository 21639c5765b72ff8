import assert from 'node:assert/strict';
import type { Replayer } from '../../src/famfs/log/replayer.ts';
import type { RecordingDevice, Step } from '../support/recording-device.ts';
import { copyOf } from './image.ts';

/** One thing that a program did to a device, store by store, and what may be seen meanwhile. */
export interface Recording {
  readonly name: string;
  readonly before: Buffer;
  readonly steps: readonly Step[];
  /** How many states there are, the old one and the new one among them. */
  readonly states: number;
  /** A reader that saw the state before, where there was one to see. */
  follow(device: RecordingDevice): Replayer | undefined;
  /** Looks as all readers do, and answers the number of the state they see. Throws AssertionError when that is none. */
  judge(device: RecordingDevice, following: Replayer | undefined, atRest: boolean): number;
  /** Throws AssertionError unless a successor can go on from this image; `known`: it knows that nobody else is at work. */
  goesOn(device: RecordingDevice, known: boolean): Promise<void>;
}

/** Does some work on a device, and records what it stores. */
export async function recordStores<T>(name: string, device: RecordingDevice, work: () => T | Promise<T>): Promise<{ before: Buffer; steps: Step[]; result: T }> {
  const before = Buffer.from(device.bytes);
  const steps: Step[] = [];
  device.listener = { after: (step) => void steps.push(step) };
  const result = await work();
  device.listener = undefined;
  mustBeComplete(name, before, steps, device.bytes);
  return { before, steps, result };
}

/** Throws AssertionError where something was stored past the recording. */
function mustBeComplete(name: string, before: Buffer, steps: readonly Step[], after: Buffer): void {
  const image = copyOf(before).bytes;
  for (const step of steps) {
    if (step.kind === 'zero') image.fill(0, step.at, step.at + step.length);
    else if (step.kind === 'word') step.bytes.copy(image, step.at);
  }
  assert(image.equals(after), `${name} stored something that was not recorded`);
}
