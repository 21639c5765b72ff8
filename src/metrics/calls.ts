import { Histogram } from 'prom-client';
import type { CallObserver } from '../csi/server/observe.ts';
import type { Metrics } from './metrics.ts';

/** From a look-up to a mount that has to replay a long log. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Adds a histogram of gRPC calls by method and code; the result takes each answered call. */
export function addCallHistogram(metrics: Metrics, name: string, help: string): CallObserver {
  const histogram = new Histogram({ name, help, labelNames: ['method', 'code'], buckets: SECONDS, registers: [metrics.registry] });
  return (method, code, seconds) => histogram.observe({ method, code }, seconds);
}
