import fs from 'node:fs';

/** A line on standard error, from any thread: not console, which needs the thread's event loop. */
export function writeError(text: string): void {
  try {
    fs.writeSync(2, `famfs: ${text}\n`);
  } catch {
    // Whoever read it has gone. Nobody is to be told, and no request shall fail of that.
  }
}

/** What a thrown value says, with its stack where it has one. */
export function stackOf(error: unknown): string {
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

/**
 * The signals by which a process ends itself after a mistake of ours, outside and inside of a request.
 * They are such as nobody else sends, so that the supervisor can tell them from a kill, and leave no
 * core file.
 */
export const MistakeSignal = Object.freeze({ outside: 'SIGALRM', inRequest: 'SIGVTALRM' } as const);

/**
 * A mistake of ours in any thread of a serving child: says so and ends the process at once. An exit
 * would wait for the workers, each of which would first take one more request, never to answer it.
 * Nor can a thread leave it to the main one, which may wait, in a notification, for that very thread.
 */
export function die(error: unknown, where: keyof typeof MistakeSignal = 'outside'): void {
  writeError(stackOf(error));
  process.kill(process.pid, MistakeSignal[where]);
}
