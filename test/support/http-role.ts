/** What a test of roles that run as processes needs: a port, and a question. */
import { createServer, type AddressInfo } from 'node:net';

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
