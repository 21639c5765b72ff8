import { ServerInterceptingCall, status, type ServerInterceptor } from '@grpc/grpc-js';

/** Told of each answered call: `NodeStageVolume`, `OK`, and how long it took. */
export type CallObserver = (method: string, code: string, seconds: number) => void;

/** Watches all calls of a server, those too that nobody implements. */
export function observing(observe: CallObserver): ServerInterceptor {
  return ({ path }, call) => {
    const started = performance.now();
    const method = path.slice(path.lastIndexOf('/') + 1);
    return new ServerInterceptingCall(call, {
      sendStatus: (answer, next) => {
        observe(method, status[answer.code ?? status.UNKNOWN], (performance.now() - started) / 1000);
        next(answer);
      },
    });
  };
}
