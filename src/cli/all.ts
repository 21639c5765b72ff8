import { startController } from './controller.ts';
import { startFused } from './fused.ts';
import { startNode } from './node.ts';
import type { RoleOptions } from './role-options.ts';
import { type RoleContext, runRole, serveRole } from './run-role.ts';

/** The three roles in one process, controller and node on one CSI socket. */
export function runAll(options: RoleOptions): Promise<never> {
  return runRole('all', options, run);
}

async function run(options: RoleOptions, context: RoleContext): Promise<void> {
  const failing = new AbortController();
  const ending = new AbortController();
  const inner = { ...context, signal: AbortSignal.any([context.signal, failing.signal]) };
  // The data plane outlives the services: what they finish while draining still needs it.
  const plane = startFused(options, { ...context, signal: ending.signal });
  plane.catch((error: unknown) => failing.abort(error));
  try {
    const controller = await startController(options, inner);
    try {
      const node = await startNode(options, inner);
      try {
        await serveRole(options, inner, [controller, node], controller.lost);
      } finally {
        await node.stop();
      }
    } finally {
      await controller.stop();
    }
  } finally {
    ending.abort(new Error('the services have ended'));
    await plane;
  }
}
