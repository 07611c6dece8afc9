/**
 * The wiring of orders and of what is told of them: to one host and back, what became of each, and the log of what happened
 * to agents. Nothing is decided here.
 */
import type { Composition } from '../src/runtime/composition.ts';
import type { FleetView } from '../src/view/fleet-view.ts';
import type { BodyMac } from './audit/body-mac.ts';
import { type DispatchOptions, dispatchHandlers, dispatchTargets } from './dispatch/dispatch-handlers.ts';
import { OrderIndex } from './dispatch/order-index.ts';
import { Orders, type SettledOrder } from './dispatch/orders.ts';
import { EVENT_TARGETS, eventHandlers } from './events/event-calls.ts';
import { EventLog } from './events/event-log.ts';
import { Events } from './events/events.ts';
import type { Store } from './store/store.ts';

export interface OrderParts extends Composition, Pick<DispatchOptions, 'records' | 'calls' | 'localName'> {
  store: Store;
  view: FleetView;
  bodyMac: BodyMac;
  /** Hears what became of each order, for its figures. */
  settled(order: SettledOrder): void;
}

export const composeOrders = async (parts: OrderParts) => {
  const { store, records, view, calls, bodyMac, localName, clock, part, shutdown } = parts;
  const eventLog = new EventLog({ store, clock, log: part('events') });
  await eventLog.start();
  shutdown.add('event log', () => eventLog.stop());
  const events = new Events({ view, log: eventLog, clock });
  events.start();
  shutdown.add('events', () => events.stop());
  const index = new OrderIndex(store, records.orders);
  const orders = new Orders({
    view,
    calls,
    index,
    clock,
    log: part('orders'),
    onSettled: (record, order) => {
      events.orderSettled(record, order);
      parts.settled(order);
    },
  });
  return {
    orders,
    events,
    eventLog,
    handlers: {
      ...dispatchHandlers({ view, records, calls, orders, index, localName }),
      ...eventHandlers(eventLog, clock),
    },
    targets: { ...dispatchTargets(view, bodyMac), ...EVENT_TARGETS },
  };
};
