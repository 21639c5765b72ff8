import { spawn } from 'node:child_process';
import { sourceOf } from '../../src/famfs/pool/pool-source.ts';
import { Pool } from '../../src/famfs/pool/pool.ts';
import { PoolWriter, type WriterIdentity } from '../../src/famfs/writer/writer.ts';

/** Runs a writer for each identity, all at once, that take the claim and give it back; answers the epochs they had. */
export async function raceForClaims(device: string, identities: readonly WriterIdentity[], turns: number): Promise<number[]> {
  const outputs = await Promise.all(identities.map((identity) => new Promise<string>((resolve, reject) => {
    const child = spawn(process.execPath, [import.meta.filename, device, JSON.stringify(identity), String(turns)]);
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => { text += chunk.toString(); });
    child.stderr.pipe(process.stderr);
    child.on('exit', (status) => (status === 0 ? resolve(text) : reject(new Error(`a racer ended with ${status}`))));
  })));
  return outputs.flatMap((text) => text.trim().split('\n').filter((line) => line !== '').map(Number));
}

if (import.meta.main) {
  const identity = JSON.parse(process.argv[3]) as WriterIdentity;
  const pool = Pool.open(sourceOf(process.argv[2]));
  for (let turn = 0; turn < Number(process.argv[4]); turn++) {
    try {
      const writer = await PoolWriter.acquire(pool, { identity });
      console.log(writer.epoch);
      writer.close();
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== 'CLAIMED' && code !== 'CLAIM_LOST') throw error;
    }
  }
  pool.close();
}
