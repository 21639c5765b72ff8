/** The fuzzed replay as a suite: a small one in the tier unit, the whole one in the tier long. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { agree } from './agree.ts';
import { type Base, makeBases } from './bases.ts';
import { checkFlip, flip } from './flip.ts';
import { follow } from './incremental.ts';
import { Patch } from './patch.ts';
import { Random } from './random.ts';
import { regions } from './regions.ts';
import { changeStructure, structuralChanges } from './structural.ts';
import { root } from '../harness/paths.ts';

/** FAMFS_FUZZ_SEED and FAMFS_FUZZ_CASES say otherwise than the tiers do. */
const seed = Number(process.env['FAMFS_FUZZ_SEED'] ?? 1);
/** From so many on, chance leaves nothing out. */
const enough = 100_000;
const minute = 60_000;

/** Counts by name; every name is there from the start, so that a zero shows. */
class Counts {
  readonly #counts: Map<string, number>;

  constructor(names: readonly string[]) {
    this.#counts = new Map(names.map((name) => [name, 0]));
  }

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  mustBeWhole(): void {
    assert.deepEqual([...this.#counts].filter(([, count]) => count === 0), [], 'these never came up');
  }

  toString(): string {
    return [...this.#counts].map(([name, count]) => `${name} ${count}`).join(', ');
  }
}

/** What one case found, and how to have it first in a run of few cases: each case has its own random numbers. */
function failed(test: string, first: number, what: string, error: unknown): Error {
  const replay = `FAMFS_FUZZ_SEED=${first} FAMFS_FUZZ_CASES=20 npm test -- unit -- -g '${test}'`;
  return new Error(`${what}: ${(error as Error).message}\nagain, as the first case: ${replay}`, { cause: error });
}

const titles = {
  flips: 'gives for a flip in any byte region what the table says',
  structures: 'agrees with the oracle on structures that no flip makes, with their CRCs repaired',
  stories: 'gives step by step what a fresh replay and the oracle give',
} as const;

/** Defines the suite with so many cases of all kinds, unless the environment says how many. */
export function fuzzedReplay(usualCases: number): void {
  const cases = Number(process.env['FAMFS_FUZZ_CASES'] ?? usualCases);
  /** Shares of the kinds of cases; the rest are flips. */
  const structural = Math.ceil(cases * 0.12);
  const incremental = Math.ceil(cases * 0.01);
  const flips = cases - structural - incremental;

  describe(`fuzzed replay (${cases} cases, seed ${seed})`, function () {
    this.timeout(30 * minute);
    let bases: Base[];

    before(async () => {
      bases = await makeBases();
    });

    it(titles.flips, () => {
      const verdicts = new Counts(['report', 'same tree', 'shorter prefix']);
      const lines = new Counts(regions.map(({ name }) => name));
      const targets = regions.map((region) => bases.map((base) => ({ base, spans: region.spans(base) }))
        .filter(({ spans }) => spans.length > 0));
      for (let number = 0; number < flips; number++) {
        const random = new Random(seed + number);
        const line = random.below(regions.length);
        const { base, spans } = random.pick(targets[line]);
        const span = random.pick(spans);
        const patch = new Patch(base.device.bytes);
        const what = flip(random, patch, span);
        try {
          checkFlip(base, regions[line], span, number % 16 === 0);
        } catch (error) {
          throw failed(titles.flips, seed + number, `${base.name}, ${regions[line].name}, ${what}`, error);
        }
        patch.restore();
        verdicts.add(regions[line].gives);
        lines.add(regions[line].name);
      }
      console.log(`      flips: ${verdicts}; in ${regions.length} byte regions`);
      if (cases >= enough) verdicts.mustBeWhole();
      if (cases >= enough) lines.mustBeWhole();
    });

    it(titles.structures, () => {
      const outcomes = new Counts(['tree', 'tree with reports', 'refused']);
      const changes = new Counts(structuralChanges);
      for (let number = 0; number < structural; number++) {
        const random = new Random(~seed + number);
        const base = random.pick(bases);
        const patch = new Patch(base.device.bytes);
        const made = changeStructure(random, patch, base);
        try {
          outcomes.add(agree(base.device));
        } catch (error) {
          throw failed(titles.structures, seed - number, `${base.name}, ${made.join(', ')}`, error);
        }
        patch.restore();
        for (const name of made) changes.add(name);
      }
      console.log(`      structures: ${outcomes}; by ${structuralChanges.length} kinds of changes`);
      if (cases >= enough) outcomes.mustBeWhole();
      if (cases >= enough) changes.mustBeWhole();
    });

    it(titles.stories, () => {
      let looks = 0;
      let stories = 0;
      for (; looks < incremental; stories++) {
        try {
          looks += follow(new Random(seed + stories), 60);
        } catch (error) {
          throw failed(titles.stories, seed + stories, 'a growing log', error);
        }
      }
      console.log(`      followed: ${looks} looks at ${stories} growing logs`);
    });

    it('asks an oracle that shares nothing with the source', () => {
      const files = readdirSync(join(root, 'test/oracle'));
      for (const file of files) {
        const imports = [...readFileSync(join(root, 'test/oracle', file), 'utf8').matchAll(/from '([^']+)'/g)].map((match) => match[1]);
        assert.deepEqual(imports.filter((name) => !/^\.\/[a-z]+\.ts$/.test(name)), [], file);
      }
    });
  });
}
