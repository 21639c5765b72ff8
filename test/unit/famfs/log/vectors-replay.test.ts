import assert from 'node:assert/strict';
import { FamfsError } from '../../../../src/famfs/errors.ts';
import type { Problem } from '../../../../src/famfs/log/problem.ts';
import { Replayer } from '../../../../src/famfs/log/replayer.ts';
import { withImage } from '../../../support/image.ts';
import { vector, vectorFile, vectorNames } from '../../../support/vectors.ts';
import { verdicts } from './vector-verdicts.ts';

describe('replay of the golden vectors', () => {
  it('has a verdict for every vector', () => {
    assert.deepEqual(Object.keys(verdicts).sort(), [...vectorNames].sort());
  });

  for (const name of vectorNames) {
    it(`${name} gives what the table of expectations says`, () => {
      const { json, ...bytes } = vector(name);
      const verdict = verdicts[name];
      withImage(bytes, json.device_size, (memory) => {
        let replayer: Replayer;
        try {
          replayer = Replayer.create(memory);
        } catch (error) {
          assert(error instanceof FamfsError);
          assert.equal(verdict.live, undefined, error.message);
          expectStarts([error.message.slice(memory.path.length + 2)], verdict.problems);
          return;
        }
        expectStarts(replayer.problems.map(line), verdict.problems);
        const { files, directories } = replayer.view.usage();
        assert.deepEqual({ files, directories: directories - 1 }, verdict.live);
      });
    });
  }

  it('finds every file of a sound vector at its path, with its size, mode, owner and map', () => {
    for (const name of ['b-mixed', 'c-1000', 'e-max']) {
      const { json, ...bytes } = vector(name);
      withImage(bytes, json.device_size, (memory) => {
        const { view } = Replayer.create(memory);
        for (const entry of json.entries) {
          if (entry.kind !== 'file' && entry.kind !== 'mkdir') continue;
          const node = view.resolve(entry.path);
          assert.equal(node, entry.index + 2, entry.path);
          assert.equal(view.path(node), entry.path);
          assert.equal(view.isDirectory(node), entry.kind === 'mkdir');
          assert.equal(view.mode(node), parseInt(entry.mode, 8));
          assert.deepEqual([view.uid(node), view.gid(node)], [entry.uid, entry.gid]);
          if (entry.kind !== 'file') continue;
          assert.equal(view.size(node), entry.size);
          const map = entry.ext_type === 0 ? entry.extents : entry.interleaved[0].strips;
          assert.deepEqual(view.extents(node), map.map((extent: { offset: number; len: number }) => (
            { start: extent.offset, end: extent.offset + extent.len })));
          assert.equal(view.interleave(node)?.chunkSize, entry.interleaved?.[0].chunk_size);
        }
      });
    }
  });

  it('maps file offsets of interleaved files to the device as the kernel does', () => {
    const { json, ...bytes } = vector('b-mixed');
    const samples = JSON.parse(vectorText('interleave-map.derived.json')) as Record<string, { samples: Sample[] }>;
    withImage(bytes, json.device_size, (memory) => {
      const { view } = Replayer.create(memory);
      for (const [file, { samples: list }] of Object.entries(samples)) {
        const entry = json.entries.find(({ path }: { path?: string }) => path?.endsWith(file));
        const node = view.resolve(entry.path);
        for (const sample of list) {
          const [{ start, end }] = view.ranges(node, sample.file_offset, 1 << 30);
          assert.equal(start, sample.dev_offset, `${file} at ${sample.file_offset}`);
          assert.equal(end - start, sample.contiguous, `${file} at ${sample.file_offset}`);
        }
      }
    });
  });
});

interface Sample {
  file_offset: number;
  dev_offset: number;
  contiguous: number;
}

function vectorText(name: string): string {
  return vectorFile(name).toString('utf8');
}

function line(problem: Problem): string {
  const index = problem.index === undefined ? '' : ` ${problem.index}`;
  return `${problem.place}${index} ${problem.severity}: ${problem.reason}`;
}

function expectStarts(actual: readonly string[], expected: readonly string[]): void {
  const cut = actual.map((text, k) => text.slice(0, expected[k]?.length));
  assert.deepEqual(cut, expected, `problems were: ${actual.join('; ')}`);
}
