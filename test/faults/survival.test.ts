import { randomFor, seed } from './seed.ts';
import { survive } from './survival.ts';

describe(`applications that read, write and compare (FAMFS_FAULTS_SEED=${seed})`, () => {
  it('notice nothing of a serving process that is killed, 20 times', async () => {
    await survive('killed', 20, randomFor('killed'));
  });

  it('notice nothing of a serving process that is upgraded, 5 times', async () => {
    await survive('upgraded', 5, randomFor('upgraded'));
  });

  it('notice nothing of a supervisor that is killed, 2 times', async () => {
    await survive('orphaned', 2, randomFor('orphaned'));
  });

  it('notice nothing of all of a session\'s processes being killed, 2 times', async () => {
    await survive('swept away', 2, randomFor('swept away'));
  });
});
