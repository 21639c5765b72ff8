import fs from 'node:fs';
import readline from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDevice } from '../../src/famfs/device/open.ts';
import { FamfsError } from '../../src/famfs/errors.ts';
import type { WriterIdentity } from '../../src/famfs/writer/writer.ts';
import { LineProcess } from '../support/line-process.ts';
import { RecordingDevice } from '../support/recording-device.ts';
import { lateTasks } from './late-tasks.ts';

/** What a late writer is asked to do. */
interface Order {
  readonly device: string;
  readonly identity: WriterIdentity;
  /** Number of the task. */
  readonly task: number;
  /** At which points between the stores of its task it pauses. */
  readonly pauses: readonly number[];
}

/** `ok`, or the code of the failure; and how many points there were to pause at. */
export interface Outcome {
  readonly result: string;
  readonly points: number;
}

/** A mapping of a device whose stores are told of. */
export const watched = (path: string): RecordingDevice => new RecordingDevice(openDevice(path).superblock.bytes.buffer as ArrayBuffer, path);

/**
 * A process that writes to one pool after the other, and is stopped by a signal between two stores:
 * all of it, with its timers, as on a host that hangs.
 */
export class LateProcess {
  readonly #process = LineProcess.ofScript(import.meta.filename);
  #outcome: Promise<string> | undefined;

  /** Lets it prepare a task. */
  async prepare(order: Order): Promise<void> {
    this.#process.tell(JSON.stringify(order));
    const answer = await this.#process.hear();
    if (answer !== 'prepared') throw new Error(`the late writer says ${answer}`);
  }

  /** Lets it begin; answers when it is done, or undefined when it is paused. */
  begin(): Promise<Outcome | undefined> {
    this.#process.tell('begin');
    this.#outcome = this.#process.hear() // it may be ended in a pause
      .catch(({ message: result }: Error) => JSON.stringify({ result, points: 0 } satisfies Outcome));
    return this.#untilPaused();
  }

  /** Ends a pause. */
  resume(): Promise<Outcome | undefined> {
    this.#process.signal('SIGCONT');
    return this.#untilPaused();
  }

  async #untilPaused(): Promise<Outcome | undefined> {
    let line: string | undefined;
    const answer = this.#outcome!.then((text) => { line = text; });
    while (line === undefined && !this.#isStopped()) await Promise.race([answer, sleep(1)]);
    return line === undefined ? undefined : JSON.parse(line) as Outcome;
  }

  end(): Promise<void> {
    return this.#process.kill();
  }

  #isStopped(): boolean {
    return /^State:\s+T/m.test(fs.readFileSync(`/proc/${this.#process.pid}/status`, 'utf8'));
  }
}

/** Calls `pause` with the number of each point: before each store, and after each ordered or bulk one. */
function atEachPoint(device: RecordingDevice, pause: (point: number) => void): () => number {
  let points = 0;
  device.listener = {
    before: () => pause(points++),
    after: (step) => {
      if (step.kind === 'zero' || (step.kind === 'word' && step.ordered)) pause(points++);
    },
  };
  return () => points;
}

if (import.meta.main) {
  const lines = readline.createInterface(process.stdin)[Symbol.asyncIterator]();
  for (let line = await lines.next(); !line.done; line = await lines.next()) {
    const { device: path, identity, task, pauses } = JSON.parse(line.value) as Order;
    const device = watched(path);
    const work = await lateTasks[task].prepare(device, identity);
    console.log('prepared');
    await lines.next();
    const points = atEachPoint(device, (point) => {
      if (pauses.includes(point)) process.kill(process.pid, 'SIGSTOP');
    });
    let result = 'ok';
    try {
      await work();
    } catch (error) {
      if (!(error instanceof FamfsError)) throw error;
      result = error.code;
    }
    device.listener = undefined;
    console.log(JSON.stringify({ result, points: points() }));
  }
}
