/** Runs tiers in processes of their own, several at once, so that neither their output nor what they leave is mixed up. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './paths.ts';
import type { TierResult } from './results.ts';
import { presentDefaultPlaces, takeDefaultPlaces } from './strays.ts';
import type { Tier } from './tiers.ts';

/** Runs tiers for one `npm test`. */
export class TiersApart {
  readonly #scratch = mkdtempSync(join(tmpdir(), 'famfs-tiers-'));
  readonly #placesBefore = presentDefaultPlaces();
  readonly #running = new Map<Tier, { child: ChildProcess; output: Buffer[] }>();
  readonly #isolation: readonly string[];
  readonly #extra: readonly string[];

  /** `isolation` is the command that starts another one in a namespace; `extra` are mocha's arguments. */
  constructor(isolation: readonly string[], extra: readonly string[]) {
    this.#isolation = isolation;
    this.#extra = extra;
  }

  /** Runs one to its end. What it prints is shown as it comes, or all at its end where others run beside it. */
  async run(tier: Tier, isShownAtOnce: boolean): Promise<TierResult> {
    const began = performance.now();
    const file = join(this.#scratch, tier.name);
    const script = [process.execPath, join(root, 'test/harness/tier-process.ts'), tier.name, file, ...this.#extra];
    const [program, ...args] = tier.onMachine ? script : [...this.#isolation, ...script];
    const stdio = isShownAtOnce ? 'inherit' : 'pipe';
    const child = spawn(program, args, { stdio: ['ignore', stdio, stdio] });
    const output: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => output.push(chunk));
    this.#running.set(tier, { child, output });
    const ending = await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    this.#running.delete(tier);
    process.stdout.write(Buffer.concat(output));
    const result: TierResult = existsSync(file)
      ? JSON.parse(readFileSync(file, 'utf8')) as TierResult
      : { passed: 0, failed: 1, skipped: 0, problems: [`its process ended with ${ending} and without a result`], ms: 0 };
    return this.#withPlaces(tier, { ...result, ms: result.reason === undefined ? performance.now() - began : 0 });
  }

  /** Adds the default directories that came since the last look; nobody knows which of those that ran has made them. */
  #withPlaces(tier: Tier, result: TierResult): TierResult {
    const others = [...this.#running.keys()].map(({ name }) => name);
    const who = others.length === 0 ? '' : ` (${tier.name} or one of those beside it: ${others.join(', ')})`;
    const problems = takeDefaultPlaces(this.#placesBefore).map((path) => `used a default directory: ${path}${who}`);
    return { ...result, failed: result.failed + problems.length, problems: [...result.problems, ...problems] };
  }

  /** Ends what runs, lets it clear up, and shows what it said. */
  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map(async ({ child, output }) => {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      await ended;
      process.stdout.write(Buffer.concat(output));
    }));
    this.close();
  }

  close(): void {
    rmSync(this.#scratch, { recursive: true, force: true });
  }
}
