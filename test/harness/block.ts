/** Runs a program beside others: what it prints is kept together. */
import { spawn } from 'node:child_process';
import { compiled, root } from './paths.ts';

/** What came of a program. */
export interface Block {
  readonly code: number;
  /** Both streams, in the order in which they came. */
  readonly output: string;
  /** Wall time. */
  readonly ms: number;
}

/** Runs a program in the checkout to its end, or until it is told to end with all that it has started. */
export async function runBlock(program: string, args: readonly string[], ending?: AbortSignal): Promise<Block> {
  const began = performance.now();
  const output: Buffer[] = [];
  const env = { ...process.env, NODE_COMPILE_CACHE: compiled };
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env, detached: ending !== undefined });
  const end = () => void process.kill(-child.pid!, 'SIGTERM');
  ending?.addEventListener('abort', end);
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 1));
  }).finally(() => ending?.removeEventListener('abort', end)); // its group is gone then
  return { code, output: Buffer.concat(output).toString(), ms: performance.now() - began };
}
