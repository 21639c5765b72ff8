/**
 * Mocha's spec reporter, which also leaves a record of the run in the file named by
 * FAMFS_TEST_REPORT: the runner counts from it and checks every skip against the list.
 * FAMFS_TEST_LONGEST_MS is what a test may take of its own, where there is such a limit.
 */
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';
import { OwnTime } from './own-time.ts';

/** A test, or a hook before or after tests, and how long it took. */
export interface Timed {
  title: string;
  ms: number;
}

/** One tier's run as the reporter writes it down. Titles are full titles, suites included. */
export interface TierReport {
  /** Every test the files define, run or not. */
  defined: string[];
  passed: number;
  failed: { title: string; message: string }[];
  pending: string[];
  /** Wall time of all that ran. */
  timed: Timed[];
  /** What took more of its own time than it may, and that time: see own-time.ts. */
  tooLong: Timed[];
}

const {
  EVENT_HOOK_BEGIN, EVENT_HOOK_END, EVENT_RUN_BEGIN, EVENT_RUN_END, EVENT_TEST_BEGIN, EVENT_TEST_END, EVENT_TEST_FAIL,
  EVENT_TEST_PASS, EVENT_TEST_PENDING,
} = Mocha.Runner.constants;

/** Mocha loads a reporter by its default export. */
export default class RecordingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const report: TierReport = { defined: [], passed: 0, failed: [], pending: [], timed: [], tooLong: [] };
    runner.once(EVENT_RUN_BEGIN, () => {
      runner.suite.eachTest((test: Mocha.Test) => void report.defined.push(test.fullTitle()));
    });
    runner.on(EVENT_TEST_PASS, () => report.passed++);
    runner.on(EVENT_TEST_PENDING, (test) => report.pending.push(test.fullTitle()));
    runner.on(EVENT_TEST_FAIL, (test, error) => {
      const message = String(error?.message ?? error);
      report.failed.push({ title: test.fullTitle(), message });
      console.log(message.replaceAll(/^/gm, '       ')); // the whole list comes when all have run, which takes long
    });
    takeTimes(runner, report);
    runner.once(EVENT_RUN_END, () => {
      const file = process.env['FAMFS_TEST_REPORT'];
      if (file) writeFileSync(file, JSON.stringify(report));
    });
  }
}

function takeTimes(runner: Mocha.Runner, { timed, tooLong }: TierReport): void {
  const longestMs = Number(process.env['FAMFS_TEST_LONGEST_MS'] ?? Infinity);
  let own = new OwnTime();
  const begin = (): void => {
    own = new OwnTime();
  };
  const end = (ran: Mocha.Runnable): void => {
    if (ran.duration === undefined) return; // it was skipped
    timed.push({ title: ran.fullTitle(), ms: ran.duration });
    if (own.exceeds(longestMs)) tooLong.push({ title: ran.fullTitle(), ms: own.ms });
  };
  runner.on(EVENT_TEST_BEGIN, begin).on(EVENT_HOOK_BEGIN, begin);
  runner.on(EVENT_TEST_END, end).on(EVENT_HOOK_END, end);
}
