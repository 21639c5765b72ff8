import assert from 'node:assert/strict';
import { inLanes, type Lane } from '../../harness/lanes.ts';

interface Work extends Lane {
  readonly name: string;
}

/** Runs works each of which ends when it is told to, and writes down what happens. */
function story(works: readonly Work[], lanes: number) {
  const told: string[] = [];
  const ends = new Map<string, () => void>();
  const done = inLanes(works, lanes, async ({ name }, beside) => {
    told.push([name, ...beside.map((other) => other.name)].join(' beside '));
    await new Promise<void>((resolve) => ends.set(name, resolve));
    return name.toUpperCase();
  });
  const end = async (name: string) => {
    ends.get(name)!();
    await new Promise(setImmediate);
  };
  return { told, end, done };
}

describe('works in lanes', () => {
  it('run so many at a time, each as soon as there is a place', async () => {
    const { told, end, done } = story([{ name: 'a' }, { name: 'b' }, { name: 'c' }], 2);
    await end('b');
    assert.deepEqual(told, ['a', 'b beside a', 'c beside a']);
    await end('a');
    await end('c');
    assert.deepEqual([...await done].map(([{ name }, result]) => [name, result]), [['a', 'A'], ['b', 'B'], ['c', 'C']]);
  });

  it('do not run at once when they take the same', async () => {
    const { told, end, done } = story([{ name: 'a', takes: 'go' }, { name: 'b', takes: 'go' }, { name: 'c', takes: 'vm' }], 2);
    assert.deepEqual(told, ['a', 'c beside a']);
    await end('c');
    assert.equal(told.length, 2, 'b still waits');
    await end('a');
    await end('b');
    await done;
    assert.deepEqual(told.at(-1), 'b');
  });

  it('leave one alone that wants to be', async () => {
    const { told, end, done } = story([{ name: 'a' }, { name: 'b', alone: true }, { name: 'c' }], 2);
    await end('a');
    await end('c');
    assert.deepEqual(told, ['a', 'c beside a', 'b']);
    await end('b');
    await done;
  });

  it('leave their places to others while one works in the background, but for what it takes', async () => {
    const { told, end, done } = story([{ name: 'a', background: true, takes: 'go' }, { name: 'b' }, { name: 'c', takes: 'go' }, { name: 'd' }], 2);
    assert.deepEqual(told, ['a', 'b beside a', 'd beside a beside b']);
    await end('d');
    await end('a');
    assert.equal(told.at(-1), 'c beside b');
    await end('b');
    await end('c');
    await done;
  });

  it('fail as one when one could not be run', async () => {
    await assert.rejects(inLanes([{}], 2, () => Promise.reject(new Error('no'))), /no/);
  });
});
