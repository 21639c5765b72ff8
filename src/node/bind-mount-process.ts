/**
 * Process: makes one bind mount, of a directory below a session's mount. To look that directory up may wait for
 * the session for as long as it hangs, so this is no work for the node plugin's own process.
 */
import { messageOf } from '../famfs/errors.ts';
import { bindMount } from './bind-mount.ts';

const [source, target, ...options] = process.argv.slice(2);
try {
  await bindMount(source, target, options);
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
