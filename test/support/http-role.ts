/** What a test of roles that run as processes needs: a port, a question, and patience. */
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const LIMIT_MS = 20_000;

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Asks a role's HTTP endpoint. */
export async function askRole(port: number, path: string): Promise<{ code: number; text: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return { code: response.status, text: await response.text() };
}

/** Waits until a check passes; throws what it threw last. */
export async function until<T>(check: () => Promise<T> | T): Promise<T> {
  for (const start = performance.now(); ; await sleep(50)) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() - start > LIMIT_MS) throw error;
    }
  }
}
