import { randomFor, seed } from './seed.ts';
import { evictWrongly, returnLate, stopAtWork } from './stale.ts';

const HELD_MS = 4000;
const ROUNDS = 3;

describe(`a host that is stopped while a volume is deleted (FAMFS_FAULTS_SEED=${seed})`, () => {
  for (const what of ['child', 'data plane'] as const) {
    it(`keeps the memory until it goes on (its ${what} was stopped), and then gets ESTALE`, () => returnLate(what, HELD_MS));
  }

  it('gets ESTALE too when the operator has said by mistake that it is off', () => evictWrongly('data plane'));

  it('reads and writes nothing of others, at whatever moment of its work it was stopped', async () => {
    await stopAtWork(ROUNDS, randomFor('stop at work'));
  });
});
