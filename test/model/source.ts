/** One file of a model and its parts, so that a line has one number in all that Spin writes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../harness/paths.ts';

export interface ModelSource {
  readonly text: string;
  /** Where a line of the text comes from: `file:line`. The first line is 1. */
  readonly origin: readonly string[];
  /** The text of each line; the first line is 1. */
  readonly lines: readonly string[];
}

const folder = join(root, 'docs/model');

/** Reads a model and puts its parts where it includes them. */
export function readModel(model: string): ModelSource {
  const lines = [''];
  const origin = [''];
  const add = (file: string) => {
    for (const [number, line] of readFileSync(join(folder, file), 'utf8').trimEnd().split('\n').entries()) {
      const part = /^#include "(.+)"$/.exec(line)?.[1];
      if (part !== undefined) {
        add(part);
        continue;
      }
      lines.push(line);
      origin.push(`docs/model/${file}:${number + 1}`);
    }
  };
  add(`${model}.pml`);
  return { text: `${lines.slice(1).join('\n')}\n`, origin, lines };
}
