import cliProgress from 'cli-progress';
import { formatSize } from './sizes.ts';

/** A progress bar on standard error, where there is a terminal; elsewhere it draws nothing. */
export function progressBar(what: string): { report: (done: number, total: number) => void; stop: () => void } {
  const bar = new cliProgress.SingleBar({
    format: `${what} {bar} {percentage} % of {size}`, stream: process.stderr, noTTYOutput: false, hideCursor: null, clearOnComplete: true,
  }, cliProgress.Presets.shades_classic);
  let started = false;
  return {
    report: (done, total) => {
      if (!started) bar.start(total, done, { size: formatSize(total) });
      started = true;
      bar.update(done);
    },
    stop: () => bar.stop(),
  };
}
