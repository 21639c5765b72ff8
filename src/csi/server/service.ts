import { status, type handleUnaryCall, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import type { Logger } from 'winston';
import { messageOf } from '../../famfs/errors.ts';
import { bound, toStatus } from '../errors.ts';
import { type CallContext, inCall } from '../log.ts';
import { redact } from './redact.ts';

/** The methods a generated handler interface names, without its index signature. */
type Methods<Handlers> = keyof {
  [Method in keyof Handlers as string extends Method ? never : number extends Method ? never : Method]: unknown;
};

/**
 * A service as plain functions from request to response, which throw to refuse. A method that is
 * not there is answered UNIMPLEMENTED by the gRPC server.
 */
export type Operations<Handlers> = {
  [Method in Methods<Handlers>]?: Handlers[Method] extends handleUnaryCall<infer Request, infer Response>
    ? (request: Request) => Promise<Response> | Response
    : never;
};

type Operation = (request: unknown) => unknown;

/** Asked several times a minute, by sidecars and by the node plugin, and of interest to nobody as long as they succeed. */
const QUIET = new Set([
  'Probe', 'GetPluginInfo', 'GetPluginCapabilities', 'ControllerGetCapabilities', 'NodeGetCapabilities', 'ListPools',
]);

let lastRequest = 0;
const process36 = Date.now().toString(36);

/** gRPC handlers over plain operations: each call gets an id, one log line, and its error's code. */
export function handlersOf<Handlers>(operations: Operations<Handlers>, log: Logger): Handlers {
  const handlers = Object.entries(operations).map(([method, operation]) =>
    [method, handlerOf(method, operation as Operation, log)]);
  return Object.fromEntries(handlers) as Handlers;
}

function handlerOf(method: string, operation: Operation, log: Logger): handleUnaryCall<unknown, unknown> {
  return (call: ServerUnaryCall<unknown, unknown>, reply: sendUnaryData<unknown>) => {
    const started = performance.now();
    const context = describe(method, call.request);
    const finish = (code: status, details?: string) => {
      const duration = Math.round((performance.now() - started) * 1000) / 1000;
      const level = code !== status.OK ? 'warn' : QUIET.has(method) ? 'debug' : 'info';
      log.log(level, 'call answered', { ...context, duration, code: status[code], ...(details === undefined ? {} : { error: details }) });
    };
    inCall(context, async () => {
      if (log.isDebugEnabled()) log.debug('call received', { body: redact(call.request) });
      try {
        const response = await operation(call.request);
        reply(null, response);
        finish(status.OK);
      } catch (error) {
        const { code, details } = toStatus(error);
        reply({ code, details });
        if (code === status.INTERNAL) log.error('unexpected failure', { stack: error instanceof Error ? error.stack : undefined });
        finish(code, details);
      }
    }).catch((error: unknown) => log.error('a call was not answered', { ...context, reason: messageOf(error) }));
  };
}

/** The call's identity; a creation has no volume id yet, so that its name stands for it. */
function describe(method: string, request: unknown): CallContext {
  const { volume_id: id, name } = request as { volume_id?: string; name?: string };
  const volume = bound(id || name || '');
  return { request: `${process36}-${++lastRequest}`, method, ...(volume ? { volume } : {}) };
}
