import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { type Stage, Stages } from '../../../src/state/stages.ts';
import { tempDir } from '../../harness/temp.ts';

const pool = '0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0';

describe('stage records', () => {
  const stage = (volume: string): Stage => ({
    volume, path: `/staging/${volume.length}`, access: { mode: 'MULTI_NODE_READER_ONLY', mountFlags: [] },
    targets: ['/pods/x'], modes: { '/pods/x': 'MULTI_NODE_READER_ONLY' },
  });
  const all = [`${pool}/v`, `${pool}/v//a`, `${pool}/v//b`, `${pool}/v/below`, `${pool}/w//a`];
  const handles = (stages: readonly Stage[]) => stages.map(({ volume }) => volume).sort();

  it('are one for each handle, and are found by handle, directory and pool', async () => {
    const stages = new Stages(tempDir('stages'));
    for (const volume of all) await stages.put(stage(volume));
    for (const volume of all) assert.deepEqual(await stages.get(volume), stage(volume));
    assert.deepEqual(handles(await stages.list()), [...all].sort());
    assert.deepEqual(handles(await stages.ofPool(pool)), [...all].sort());
    for (const handle of [`${pool}/v`, `${pool}/v//b`, `${pool}/v//another`]) {
      assert.deepEqual(handles(await stages.ofDirectory(handle)), [`${pool}/v`, `${pool}/v//a`, `${pool}/v//b`], handle);
    }
    await stages.delete(`${pool}/v//a`);
    assert.deepEqual(handles(await stages.ofDirectory(`${pool}/v`)), [`${pool}/v`, `${pool}/v//b`]);
  });

  it('tell a data plane that knows no suffixes which pool is in use', async () => {
    const folder = tempDir('stages');
    await new Stages(folder).put(stage(`${pool}/v//a`));
    const [file] = fs.readdirSync(path.join(folder, 'stages'));
    const record = JSON.parse(fs.readFileSync(path.join(folder, 'stages', file!), 'utf8')) as { volume: string; handle: string };
    assert.equal(record.volume, `${pool}/v`);
    assert.equal(record.handle, `${pool}/v//a`);
  });

  it('of a version before are read as they are', async () => {
    const folder = tempDir('stages');
    const stages = new Stages(folder);
    const { volume, path: place, access, targets } = stage(`${pool}/v`);
    const old = { volume, path: place, access, targets };
    await stages.put(old);
    const [file] = fs.readdirSync(path.join(folder, 'stages'));
    assert.equal(fs.readFileSync(path.join(folder, 'stages', file!), 'utf8'), JSON.stringify(old));
    assert.deepEqual(await stages.get(`${pool}/v`), old);
  });
});
