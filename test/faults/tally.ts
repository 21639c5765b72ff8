/** What an application counts that works without a pause until its standard input ends. */
export interface ClientSum {
  readonly operations: number;
  /** The first errors, and the first places that held something else than was written. */
  readonly errors: readonly string[];
  readonly mismatches: readonly string[];
  /** What the slowest operation took. */
  readonly longestMs: number;
}

const MOST = 10;

/** Repeats an operation, which answers what was not as it should be; the sum is printed as the last line. */
export async function repeatUntilInputEnds(operation: () => Promise<string | undefined>): Promise<void> {
  let operations = 0;
  let longestMs = 0;
  const [errors, mismatches]: [string[], string[]] = [[], []];
  const note = (list: string[], text: string) => list.length < MOST && list.push(text);
  let ending = false;
  process.stdin.on('end', () => { ending = true; }).resume();
  console.log('at work');
  while (!ending) {
    const began = performance.now();
    try {
      const mismatch = await operation();
      if (mismatch !== undefined) note(mismatches, mismatch);
    } catch (error) {
      note(errors, String(error));
    }
    operations++;
    longestMs = Math.max(longestMs, performance.now() - began);
  }
  console.log(JSON.stringify({ operations, errors, mismatches, longestMs } satisfies ClientSum));
  process.exit();
}
