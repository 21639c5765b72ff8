/**
 * Mocha's spec reporter, which also leaves a record of the run in the file named by
 * FAMFS_TEST_REPORT: the runner counts from it and checks every skip against the list.
 */
import { writeFileSync } from 'node:fs';
import Mocha from 'mocha';

/** One tier's run as the reporter writes it down. Titles are full titles, suites included. */
export interface TierReport {
  /** Every test the files define, run or not. */
  defined: string[];
  passed: number;
  failed: { title: string; message: string }[];
  pending: string[];
}

const { EVENT_RUN_BEGIN, EVENT_RUN_END, EVENT_TEST_PASS, EVENT_TEST_FAIL, EVENT_TEST_PENDING } =
  Mocha.Runner.constants;

/** Mocha loads a reporter by its default export. */
export default class RecordingReporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const report: TierReport = { defined: [], passed: 0, failed: [], pending: [] };
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
    runner.once(EVENT_RUN_END, () => {
      const file = process.env['FAMFS_TEST_REPORT'];
      if (file) writeFileSync(file, JSON.stringify(report));
    });
  }
}
