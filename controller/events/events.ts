/** The wiring of this room: what the view's changes and the orders' ends say happened goes into the log. */
import { parseAddress } from '../../src/domain/address.ts';
import { eventOf } from '../../src/domain/agent-changes.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { FleetView, HostAgentRecord } from '../../src/view/fleet-view.ts';
import { ViewEvents } from '../../src/view/view-events.ts';
import type { SettledOrder } from '../dispatch/orders.ts';
import { isFederated } from '../tenancy/visible.ts';
import type { EventLog } from './event-log.ts';

export interface EventsOptions {
  view: FleetView;
  log: EventLog;
  clock: Clock;
}

/** Of an address: cell, host, user, agent. */
const AGENT_PARTS = 4;

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
    const parts = address.split('/');
    const agent = parts.length === AGENT_PARTS ? parseAddress(address).agent : '';
    const change = { kind: 'order-done', agent, orderId: id, verb, outcome, actor };
    this.#options.log.append([eventOf(change, record, this.#options.clock.nowMs())]);
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
