import type { Region } from '../device/region.ts';
import { LogHeader, logHeaderProblem } from '../format/log-header.ts';
import { Superblock, superblockProblem } from '../format/superblock.ts';
import { Guards } from './guards.ts';
import { corruptEntry } from './log-end.ts';
import { LogScanner } from './log-scanner.ts';
import type { Problem } from './problem.ts';
import type { Replayer } from './replayer.ts';

/**
 * Reads superblock and log over and over, a little at a time. A replay looks at an entry once; whoever writes over
 * it afterwards would be noticed at the next start only.
 */
export class LogPatrol {
  readonly #replayer: Replayer;
  readonly #superblock: Region;
  readonly #scanner: LogScanner;
  #next = 0;

  constructor(replayer: Replayer, superblock: Region) {
    this.#replayer = replayer;
    this.#superblock = superblock;
    this.#scanner = new LogScanner(replayer.geometry.log);
  }

  /** Checks superblock, log header and about so many entries more, and says what is wrong with the first that is not sound. */
  step(entries: number): Problem | undefined {
    return this.#heads() ?? this.#entries(entries);
  }

  #heads(): Problem | undefined {
    const superblock = superblockProblem(Buffer.from(this.#superblock.bytes.subarray(0, Superblock.length)));
    if (superblock !== undefined) return { place: 'superblock', severity: 'damage', reason: superblock };
    const header = logHeaderProblem(Buffer.from(this.#replayer.geometry.log.bytes.subarray(0, LogHeader.length)));
    return header === undefined ? undefined : { place: 'log header', severity: 'damage', reason: header };
  }

  #entries(entries: number): Problem | undefined {
    const { geometry, ring, end } = this.#replayer;
    if (this.#next >= end) this.#next = 0;
    const guards = new Guards(ring.listInForce().guards, geometry.capacity);
    const until = Math.min(this.#next + entries, end);
    while (this.#next < until) {
      const guarded = guards.at(this.#next);
      if (guarded > 0) {
        this.#next += guarded;
        continue;
      }
      const wanted = Math.min(until - this.#next, guards.distance(this.#next));
      const sound = this.#scanner.read(this.#next, wanted);
      if (sound === 0) return corruptEntry(geometry, this.#next);
      this.#next += sound;
    }
    return undefined;
  }
}
