/**
 * The wiring of a controller's figures: who counts what. Their library is loaded only where figures are asked for.
 * Nothing is decided here.
 */
import { join } from 'node:path';
import type { Composition } from '../src/runtime/composition.ts';
import type { FleetView } from '../src/view/fleet-view.ts';
import type { AuditLog } from './audit/audit-log.ts';
import type { EventLog } from './events/event-log.ts';
import type { Door } from './grpc/door.ts';
import type { MetricSources, Metrics } from './grpc/metrics.ts';
import { openMetricsToken } from './grpc/metrics-token.ts';
import { countedAgents, countedHosts } from './registry/counted.ts';
import type { LastKnown } from './store/last-known.ts';

export interface MetricParts extends Composition {
  folder: string;
  view: FleetView;
  door: Door;
  audit: AuditLog;
  eventLog: EventLog;
  lastKnown: LastKnown;
}

export const composeMetrics = async (parts: MetricParts): Promise<Metrics> => {
  const { folder, view, door, audit, eventLog, lastKnown, part, shutdown } = parts;
  const figures: MetricSources = {
    agents: () => countedAgents(view),
    hosts: () => countedHosts(view),
    streams: () => door.open(),
    auditDropped: () => audit.dropped,
    auditSequence: () => audit.head.sequence,
    eventsDropped: () => eventLog.dropped,
    lastKnownRefused: () => lastKnown.refused,
  };
  const { Metrics } = await import('./grpc/metrics.ts');
  const metrics = new Metrics(figures, await openMetricsToken(join(folder, 'metrics-token')), part('metrics'));
  shutdown.add('metrics', () => metrics.stop());
  return metrics;
};
