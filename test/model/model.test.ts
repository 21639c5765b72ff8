/** The protocol under the model checker: the design holds, and without any one rule it does not. */
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { check, discard, type Verdict } from './checker.ts';
import { type Configuration, designs, spare, switches } from './configurations.ts';
import { reachedByNone } from './coverage.ts';
import { readModel } from './source.ts';

/** Each check takes one core, and up to half a gigabyte. */
const AT_ONCE = Math.min(2, availableParallelism());

describe('model of one writer', () => {
  const all = [...designs, ...spare, ...switches];
  const results = new Map<Configuration, PromiseWithResolvers<Verdict>>();
  for (const configuration of all) {
    const result = Promise.withResolvers<Verdict>();
    result.promise.catch(() => {}); // the test that waits for it tells
    results.set(configuration, result);
  }

  const verdict = (configuration: Configuration) => results.get(configuration)!.promise;
  const workers: Promise<void>[] = [];

  before(() => {
    const queue = [...all];
    const work = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { resolve, reject } = results.get(next)!;
        await check(next).then((found) => {
          discard(found);
          resolve(found);
        }, reject);
      }
    };
    for (let k = 0; k < AT_ONCE; k++) workers.push(work());
  });

  after(() => Promise.all(workers));

  describe('the design', () => {
    for (const configuration of designs) {
      it(`holds in every state: ${configuration.name}`, async () => {
        assert.equal((await verdict(configuration)).violated, undefined);
      });
    }

    for (const model of new Set(designs.map((design) => design.model))) {
      it(`has no statement in ${model}.pml that is never reached`, async () => {
        const verdicts = await Promise.all(designs.filter((design) => design.model === model).map(verdict));
        assert.deepEqual(reachedByNone(readModel(model), verdicts.map(({ coverage }) => coverage)), []);
      });
    }
  });

  describe('a rule that safety does not need', () => {
    for (const configuration of spare) {
      it(`can go without harm: ${configuration.name}`, async () => {
        assert.equal((await verdict(configuration)).violated, undefined);
      });
    }
  });

  describe('without one rule', () => {
    for (const configuration of switches) {
      it(`${configuration.name} leads to ${configuration.violates}`, async () => {
        assert.equal((await verdict(configuration)).violated, configuration.violates);
      });
    }
  });
});
