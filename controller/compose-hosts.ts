/**
 * The wiring of which hosts a controller knows, and what it knows of them: those that are enrolled, at first as they were
 * last known. Nothing is decided here.
 */
import type { Composition } from '../src/runtime/composition.ts';
import { FleetView } from '../src/view/fleet-view.ts';
import { EnrolledHosts } from './registry/enrolled-hosts.ts';
import { loadLastKnown } from './registry/last-known.ts';
import { Registry } from './registry/registry.ts';
import type { LastKnown } from './store/last-known.ts';
import type { Records } from './store/records.ts';
import { ReportIntake } from './uplink/report-intake.ts';

export interface HostParts extends Composition {
  cell: string;
  records: Records;
  lastKnown: LastKnown;
}

export const composeHosts = async ({ cell, records, lastKnown, clock, part, shutdown }: HostParts) => {
  const view = new FleetView({ clock });
  const registry = new Registry({ cell, view, clock, log: part('registry') });
  const intake = new ReportIntake(view);
  registry.begin(await loadLastKnown(lastKnown));
  const forget = async (id: string): Promise<void> => {
    registry.removed(id);
    intake.forget(id);
    await lastKnown.forget(id);
  };
  const enrolled = new EnrolledHosts(records, registry, (id) => {
    forget(id).catch((err: unknown) => part('registry').error({ err, hostAgent: id }, 'last rows not forgotten'));
  });
  enrolled.follow();
  shutdown.add('enrolled hosts', () => enrolled.stop());
  return { view, registry, intake, forget };
};
