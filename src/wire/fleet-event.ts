import type { FleetEvent } from '../domain/fleet-event.ts';
import type { Event } from './gen/fleet/v1/events.ts';

/** An event as it travels; what is none that we know passes. */
export const eventToWire = (event: FleetEvent, revision: bigint): Event => ({ ...event, revision });
