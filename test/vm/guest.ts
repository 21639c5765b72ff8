/** A guest that is switched on for one script. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Marker } from './initramfs.ts';
import { Machine, type MachineOptions } from './machine.ts';

/** What a guest is to do. */
export interface GuestTask extends MachineOptions {
  /** The guest is switched off after this long. */
  readonly limitMs: number;
}

/** What came of it. */
export interface GuestResult {
  /** The script's; undefined when the guest ended without saying so (a panic, the time limit). */
  exitCode: number | undefined;
  /** What the script printed, both streams. */
  output: string;
  /** Everything on the console, the kernel's messages included. */
  console: string;
}

/** Boots a guest, runs the script, switches the guest off. */
export async function runInGuest(task: GuestTask): Promise<GuestResult> {
  const machine = await Machine.start(task);
  try {
    await Promise.race([machine.ended, sleep(task.limitMs, undefined, { ref: false })]);
    return { ...parseConsole(machine.console), console: machine.console + machine.hostLog };
  } finally {
    await machine.powerOff();
  }
}

/** A guest that panics ends QEMU with exit code 0: only the markers tell what happened. */
export function parseConsole(text: string): { exitCode: number | undefined; output: string } {
  const lines = text.split('\n');
  const begin = lines.indexOf(Marker.Begin);
  if (begin < 0) return { exitCode: undefined, output: '' };
  const end = lines.findIndex((line) => line.startsWith(`${Marker.End} `));
  const output = lines.slice(begin + 1, end < 0 ? undefined : end).join('\n');
  return { exitCode: end < 0 ? undefined : Number(lines[end].split(' ')[1]), output };
}
