import { slowLogs } from '../support/slow-logs.ts';

/** Were anything of a replay quadratic, these would be billions of steps. */
const ENTRIES = 60_000;

describe('replay of a large log', () => {
  for (const [name, make] of Object.entries(slowLogs)) {
    it(`comes to its end: ${name}`, () => {
      make(ENTRIES).run();
    });
  }
});
