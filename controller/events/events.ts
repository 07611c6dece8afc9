/** The wiring of this room: what the view's changes and the orders' ends say happened goes into the log. */
import { agentIn } from '../../src/domain/address.ts';
import { eventOf } from '../../src/domain/agent-changes.ts';
import { formatSpiffeId } from '../../src/identity/spiffe-id.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { FleetView, HostAgentRecord } from '../../src/view/fleet-view.ts';
import { ViewEvents } from '../../src/view/view-events.ts';
import { endedOrderFromWire } from '../../src/wire/ended-order.ts';
import type { OrderEnded } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import type { SettledOrder } from '../dispatch/orders.ts';
import { isFederated } from '../tenancy/visible.ts';
import type { EventLog } from './event-log.ts';

export interface EventsOptions {
  view: FleetView;
  log: EventLog;
  clock: Clock;
}

type OrderSaid = Omit<SettledOrder, 'address'> & { agent: string };

export class Events {
  readonly #options: EventsOptions;
  #views: ViewEvents | null = null;
  #watch: Disposable | null = null;
  #isDue = false;

  constructor(options: EventsOptions) {
    this.#options = options;
  }

  /** The view must have the last known picture by then: it is what the first changes are measured against. */
  start(): void {
    const { view, clock, log } = this.#options;
    // What happens to a peer's agents is told by the peer.
    const isMeant = (record: HostAgentRecord): boolean => !isFederated(record);
    this.#views = new ViewEvents({ view, clock, lost: log.lost, isMeant });
    this.#watch = view.log.onChange(() => this.#soon());
  }

  stop(): void {
    this.#watch?.[Symbol.dispose]();
    this.#take();
  }

  /** Each once, when it is known what became of it. */
  orderSettled(record: HostAgentRecord, { id, address, verb, outcome, actor }: SettledOrder): void {
    this.#tellOrder(record, { id, agent: agentIn(address), verb, outcome, actor });
  }

  /** On a host's own socket, where its user gave it. The host says what and how; who it is was proven. */
  orderEndedAt(hostAgentId: string, order: OrderEnded): void {
    const { view } = this.#options;
    const record = view.hostAgent(hostAgentId);
    if (record === undefined) return;
    const { id, agent, verb, outcome } = endedOrderFromWire(order);
    const { cell, host, user } = record;
    this.#tellOrder(record, { id, agent, verb, outcome, actor: formatSpiffeId({ kind: 'host', cell, host, user }) });
  }

  #tellOrder(record: HostAgentRecord, { id: orderId, ...said }: OrderSaid): void {
    const { log, clock } = this.#options;
    log.append([eventOf({ kind: 'order-done', orderId, ...said }, record, clock.nowMs())]);
  }

  #soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      if (this.#take()) this.#soon();
    });
  }

  #take(): boolean {
    const { events = [], more = false } = this.#views?.take() ?? {};
    this.#options.log.append(events);
    return more;
  }
}
