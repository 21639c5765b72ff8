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

/** Runs a program in the checkout to its end. */
export async function runBlock(program: string, args: readonly string[]): Promise<Block> {
  const began = performance.now();
  const output: Buffer[] = [];
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_COMPILE_CACHE: compiled } });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(chunk));
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve(status ?? 1));
  });
  return { code, output: Buffer.concat(output).toString(), ms: performance.now() - began };
}
