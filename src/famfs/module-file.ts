import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The file of a module that is started as a process or a thread: TypeScript in a checkout, JavaScript
 * in the image. `from` is the caller's `import.meta.url`, `name` a path relative to it without extension.
 */
export function moduleFile(from: string, name: string): string {
  const self = fileURLToPath(from);
  return path.join(path.dirname(self), name + path.extname(self));
}
