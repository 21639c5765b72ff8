import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { generateProtoTypes } from '../../../../scripts/generate-proto-types.ts';

const committed = path.resolve(import.meta.dirname, '../../../../src/generated');

/** Every file below a folder with its text. */
function contents(folder: string): Map<string, string> {
  const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(files.map((entry) => {
    const file = path.join(entry.parentPath, entry.name);
    return [path.relative(folder, file), fs.readFileSync(file, 'utf8')] as const;
  }).sort());
}

describe('generated protocol types', () => {
  it('are what generating them anew gives', () => {
    const fresh = fs.mkdtempSync(path.join(os.tmpdir(), 'famfs-generated-'));
    try {
      generateProtoTypes(fresh);
      const expected = contents(fresh);
      const actual = contents(committed);
      assert.deepEqual([...actual.keys()], [...expected.keys()]);
      for (const [file, text] of expected) assert.equal(actual.get(file), text, `${file}: run npm run generate`);
    } finally {
      fs.rmSync(fresh, { recursive: true, force: true });
    }
  });
});
