/** Which statements of a model no execution reaches, in none of several configurations of it. */
import type { ModelSource } from './source.ts';

/**
 * The statements of one configuration, each with whether some execution reaches it. A statement is known by its
 * line, its text without numbers (sizes differ) and its turn among equal ones: an inline may be used twice.
 */
export type Coverage = ReadonlyMap<string, boolean>;

/** From pan.m, which lists all statements, and pan's report, which lists those that were not reached. */
export function readCoverage(generated: string, report: string): Coverage {
  const unreached = new Set<string>();
  let process = '';
  for (const line of report.split('\n')) {
    process = /^unreached in (?:proctype )?(\S+)/.exec(line)?.[1] ?? process;
    const match = /^\t\S+:\d+, state (\d+), "(.*)"$/.exec(line);
    if (match !== null && !isEscape(match[2])) unreached.add(`${process} ${match[1]}`);
  }
  const coverage = new Map<string, boolean>();
  const turns = new Map<string, number>();
  for (const line of generated.split('\n')) {
    process = /\/\* PROC :?(\w+):? \*\//.exec(line)?.[1] ?? process;
    const match = /\/\/ STATE (\d+) - \S+:(\d+) - \[(.*)\] \(/.exec(line);
    if (match === null || match[3] === '-end-' || isEscape(match[3])) continue;
    const alike = `${match[2]} ${match[3].replaceAll(/\d+/g, '#')}`;
    const turn = (turns.get(alike) ?? 0) + 1;
    turns.set(alike, turn);
    coverage.set(`${alike} (${turn})`, !unreached.has(`${process} ${match[1]}`));
  }
  return coverage;
}

/** That a writer can be stopped before any statement is no statement of the model. */
function isEscape(statement: string): boolean {
  return statement === '(stopped[w])';
}

/** Statements that some configuration has and none reaches: where they stand, and their line. */
export function reachedByNone(source: ModelSource, coverages: readonly Coverage[]): string[] {
  const reached = new Map<string, boolean>();
  for (const coverage of coverages) {
    for (const [statement, here] of coverage) reached.set(statement, here || reached.get(statement) === true);
  }
  const missed = [...reached].filter(([, here]) => !here).map(([statement]) => {
    const line = Number(statement.slice(0, statement.indexOf(' ')));
    return `${source.origin[line]}: ${statement.slice(statement.indexOf(' ') + 1)}`;
  });
  return missed;
}
