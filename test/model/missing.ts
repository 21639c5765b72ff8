/** What the model tier needs of the machine: Spin writes a checker in C, which is then compiled. */
import { existsSync } from 'node:fs';
import { programs } from '../harness/prerequisites.ts';

/** Says what is missing, and how to get it; undefined when nothing is. */
export function modelMissing(): string | undefined {
  const missing = programs('spin', 'gcc')() ?? (existsSync('/usr/include/stdio.h') ? undefined : 'not installed: the C library\'s headers');
  return missing === undefined ? undefined : `${missing}; "npm run model:install -- --install" gets Debian's packages`;
}
