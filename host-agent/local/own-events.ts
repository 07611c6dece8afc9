/** Events where there is no controller: of this host alone, from its own view, while somebody looks. None are kept. */
import { FleetError } from '../../src/domain/errors.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Wake } from '../../src/runtime/wake.ts';
import type { FleetView } from '../../src/view/fleet-view.ts';
import { ViewEvents } from '../../src/view/view-events.ts';
import { eventToWire } from '../../src/wire/fleet-event.ts';
import type { WatchEventsRequest } from '../../src/wire/gen/fleet/v1/events.ts';
import type { IncomingCall } from './incoming-call.ts';
import type { ControllerLine } from './upstream.ts';

/** A word at least this often, so that a reader knows a quiet stream from a dead one. */
const BEAT_MS = 2_000;

/** Resolves when the reader leaves; UNAVAILABLE once there is a controller, so that it asks again. */
export const ownEvents = async (
  { view, line }: { view: FleetView; line: Pick<ControllerLine, 'enrolled'> },
  incoming: IncomingCall,
): Promise<void> => {
  const { sink, signal } = incoming;
  const { follow } = incoming.request as WatchEventsRequest;
  const wake = new Wake();
  using _changes = view.log.onChange(() => wake.poke());
  const changes = new ViewEvents({ view, clock: systemClock, isMeant: ({ here }) => here });
  while (!signal.aborted) {
    if (line.enrolled) throw new FleetError('UNAVAILABLE', 'this host has a controller by now');
    const { events, more } = changes.take();
    const told = events.map((event) => eventToWire(event, 0n));
    const isWritten = sink.write({ events: told, revision: 0n, tooOld: false, source: 'host' });
    if (!isWritten) await sink.drained(signal);
    if (!follow) return;
    if (more) await new Promise((resolve) => setImmediate(resolve));
    else await wake.wait(BEAT_MS, signal);
  }
};
