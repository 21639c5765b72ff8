import { randomFor, seed } from './seed.ts';
import { survive } from './survival.ts';

const minute = 60_000;

describe(`applications that read, write and compare (FAMFS_FAULTS_SEED=${seed})`, function () {
  this.timeout(5 * minute);

  it('notice nothing of a serving process that is killed, 20 times', async () => {
    await survive('killed', 20, randomFor('killed'));
  });

  it('notice nothing of a serving process that is upgraded, 5 times', async () => {
    await survive('upgraded', 5, randomFor('upgraded'));
  });
});
