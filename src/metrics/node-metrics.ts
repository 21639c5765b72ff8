import { Gauge } from 'prom-client';
import type { Metrics } from './metrics.ts';

/** What a node plugin tells of itself. */
export interface NodeFigures {
  readonly registered: boolean;
  readonly staged: number;
  readonly held: number;
}

/** Adds the metrics of a node plugin. */
export function addNodeMetrics(metrics: Metrics, figures: () => Promise<NodeFigures>): void {
  const registers = [metrics.registry];
  const registered = new Gauge({ name: 'famfs_node_registered', help: '1 when the kubelet has registered this plugin', registers });
  const staged = new Gauge({ name: 'famfs_node_staged_volumes', help: 'Volumes staged on this host', registers });
  const held = new Gauge({ name: 'famfs_node_held_sessions', help: 'Mounted pools that survive a replacement of the data plane', registers });
  metrics.onScrape(async () => {
    const now = await figures();
    registered.set(now.registered ? 1 : 0);
    staged.set(now.staged);
    held.set(now.held);
  });
}
