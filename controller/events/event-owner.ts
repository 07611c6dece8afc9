/** Whose an event is: a host-agent's, while it was that tenant's. */
import type { FleetEvent } from '../../src/domain/fleet-event.ts';

export type EventOwner = Pick<FleetEvent, 'tenantId' | 'host' | 'user'>;

/** As one word, in which none of the three can stand for another. */
export const ownerOf = ({ tenantId, host, user }: EventOwner): string => `${tenantId}/${host}/${user}`;

export const ownerNamed = (word: string): EventOwner => {
  const [tenantId = '', host = '', user = ''] = word.split('/');
  return { tenantId, host, user };
};
