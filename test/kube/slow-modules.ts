/** Preloaded into a role, this makes it busy while it loads its modules, as it is on a node that has much to do. */
import { registerHooks } from 'node:module';

/** Longer than a sidecar waits for a connection to be greeted. */
const LOAD_MS = 3_000;

registerHooks({
  load: (url, context, next) => {
    if (url.endsWith('/@kubernetes/client-node/dist/index.js')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOAD_MS);
    return next(url, context);
  },
});
