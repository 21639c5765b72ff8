import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * A module beside this one that is started as a process or a thread: TypeScript in a checkout,
 * JavaScript in the image.
 */
export function moduleFile(name: string): string {
  const self = fileURLToPath(import.meta.url);
  return path.join(path.dirname(self), name + path.extname(self));
}
