import { collectDefaultMetrics, Registry } from 'prom-client';

/** The metrics of one process, and what brings them up to date when somebody asks. */
export class Metrics {
  readonly registry = new Registry();
  readonly #refreshers: (() => void | Promise<void>)[] = [];

  /** Runs before each scrape: for numbers that are kept elsewhere. */
  onScrape(refresh: () => void | Promise<void>): void {
    this.#refreshers.push(refresh);
  }

  /** Adds what Prometheus expects of every process: memory, descriptors, event loop. */
  addProcess(): void {
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: 100 });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** All metrics as Prometheus reads them. */
  async text(): Promise<string> {
    for (const refresh of this.#refreshers) await refresh();
    return this.registry.metrics();
  }
}
