import fs from 'node:fs';

/** A line on standard error, from any thread: not console, which needs the thread's event loop. */
export function complain(text: string): void {
  try {
    fs.writeSync(2, `famfs: ${text}\n`);
  } catch {
    // Whoever read it has gone. Nobody is to be told, and no request shall fail of that.
  }
}

/**
 * The signal by which a process ends itself: one that nobody else sends, so that it is known from a
 * kill, and that leaves no core file.
 */
export const OWN_END = 'SIGALRM';

/**
 * A mistake of ours in any thread of a serving child: says so and ends the process at once. An exit
 * would wait for the workers, each of which would first take one more request, never to answer it.
 * Nor can a thread leave it to the main one, which may wait, in a notification, for that very thread.
 */
export function die(error: unknown): void {
  complain(error instanceof Error ? error.stack ?? error.message : String(error));
  process.kill(process.pid, OWN_END);
}
