import assert from 'node:assert/strict';
import { attackAsCoHost, coHostAttacks } from './co-host.ts';
import { floodWithRejects } from './flood.ts';
import { scribbleAtRandom, Victims } from './hostile.ts';
import { expectNames } from './named-damage.ts';
import { randomFor, seed } from './seed.ts';

const HOSTILE_MS = 60_000;
const REJECTS = 12_000;
const FLOOD_MS = 3000;

describe(`a host that scribbles over the metadata of a pool (FAMFS_FAULTS_SEED=${seed})`, () => {
  it('is named, wherever it does so, and forgotten when it is put right', async () => {
    await expectNames(randomFor('named damage'));
  });

  it(`crashes nobody and spoils no staged volume in ${HOSTILE_MS / 1000} s`, async () => {
    await scribbleAtRandom(HOSTILE_MS, randomFor('hostile'));
  });
});

describe(`a host that can write to the pool's memory and knows what it does (FAMFS_FAULTS_SEED=${seed})`, () => {
  it('shows no volume what another one held, hides none, and keeps the pool from being written for no longer than its claim stands', async () => {
    const random = randomFor('co-host');
    const { blocks, result } = await Victims.use(random, (victims) => attackAsCoHost(victims, 0, random));
    assert.ok(blocks > 0);
    assert.deepEqual(Object.keys(result.attacks), Object.keys(coHostAttacks));
  });
});

describe(`a host that fills the log of a pool with entries that cannot be (FAMFS_FAULTS_SEED=${seed})`, () => {
  it(`ends nobody and makes nothing long with ${REJECTS} of them`, async () => {
    await floodWithRejects(REJECTS, FLOOD_MS, randomFor('flood'));
  });
});
