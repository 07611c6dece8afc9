/** The calls that give orders to this host and its agents. Comes in: calls, whoever asks. Goes out: what each means, to be done once. */
import { keyNames } from '../../src/domain/key-names.ts';
import {
  type ControlVerb,
  controlVerb,
  type DesiredVerb,
  isControlVerb,
  isDesiredVerb,
  type LifecycleVerb,
  type OrderVerb,
} from '../../src/domain/order.ts';
import { UNPROVEN_SESSION } from '../../src/domain/sender.ts';
import type { ControlAgentRequest, OrderOutcome, OrderTarget } from '../../src/wire/gen/fleet/v1/orders.ts';
import type { PutRosterRequest } from '../../src/wire/gen/fleet/v1/roster.ts';
import type { CallContext, OwnCalls } from '../calls/own-calls.ts';
import { answerPrompt } from './answer-prompt.ts';
import { messageOf } from './message-text.ts';
import { type Act, OrderBook, type OrderBookOptions, THIS_HOST } from './order-book.ts';
import type { OrderEnd } from './order-end.ts';
import type { OrderRecord } from './order-record.ts';
import type { OrderRun, VerbPorts } from './order-run.ts';
import { pressKeys } from './press-keys.ts';
import { sendText } from './send-text.ts';
import type { TakeoverRecords } from './takeover-records.ts';

/** What changes agents; each says how it ended, by word or by throwing. */
export interface ControlOrders<V extends ControlVerb> {
  control(verb: V, request: ControlAgentRequest, run: OrderRun): Promise<OrderEnd>;
  /** How one ended that was begun by a process that is gone. */
  lookBack(verb: V, record: OrderRecord, run: OrderRun): Promise<OrderEnd>;
}

/** Whoever writes this host's own roster. */
export interface RosterOrders {
  put(request: PutRosterRequest, run: OrderRun): Promise<OrderEnd>;
  /** What is kept of a text, by which it is known again. */
  digestOf(text: string): string;
  /** As for agents. */
  lookBack(record: OrderRecord): Promise<OrderEnd>;
}

export interface OrdersOptions extends OrderBookOptions {
  ports: VerbPorts;
  lifecycle: ControlOrders<LifecycleVerb>;
  desired: ControlOrders<DesiredVerb>;
  roster: RosterOrders;
}

const USUAL_MS: Record<OrderVerb, number> = {
  send: 10_000,
  keys: 10_000,
  answer: 10_000,
  start: 60_000,
  stop: 60_000,
  restart: 120_000,
  reset: 120_000,
  deploy: 180_000,
  remove: 120_000,
  roster: 10_000,
};

const whatOf = (verb: ControlVerb, request: ControlAgentRequest): unknown[] => {
  const { force, adopt, rosterDigest, migrate, purge } = request;
  if (isDesiredVerb(verb)) return [force, rosterDigest, migrate, purge];
  // An order of a version that knew no more has the digest that it had.
  return adopt ? [force, 'adopt'] : [force];
};

interface OrderCall {
  id: string;
  target?: OrderTarget | undefined;
  timeoutMs: number;
}

export type OrderCalls =
  | 'sendText'
  | 'pressKeys'
  | 'answerPrompt'
  | 'controlAgent'
  | 'putRoster'
  | 'getOrder'
  | 'listOrders';

export class Orders implements Pick<OwnCalls, OrderCalls> {
  readonly #options: OrdersOptions;
  readonly #book: OrderBook;

  constructor(options: OrdersOptions) {
    this.#options = options;
    this.#book = new OrderBook(options);
  }

  get takeovers(): TakeoverRecords {
    return this.#book.takeovers;
  }

  start(): void {
    this.#book.start((record) => this.#lookBack(record));
  }

  stopped(): Promise<void> {
    return this.#book.stopped();
  }

  readonly sendText: OwnCalls['sendText'] = (request, context) => {
    const { text, sender, noLabel, waitIdleMs } = request;
    const { ports, names } = this.#options;
    const { host } = names();
    const target = request.target?.key ?? '';
    const to = { host, session: ports.panes.row(target)?.agent ?? target };
    const from = { host: sender?.host || host, session: sender?.session || UNPROVEN_SESSION };
    const message = messageOf(text, noLabel ? null : { from, to });
    const act: Act = (run) => sendText(ports, request, message, run);
    return this.#once('send', request, [text, noLabel, sender], context, act, waitIdleMs);
  };

  readonly pressKeys: OwnCalls['pressKeys'] = (request, context) => {
    const keys = keyNames(request.keys);
    const what = [keys, request.ifPrompt, request.blind];
    return this.#once('keys', request, what, context, (run) => pressKeys(this.#options.ports, request, keys, run));
  };

  readonly answerPrompt: OwnCalls['answerPrompt'] = (request, context) => {
    const what = [request.promptId, request.choice];
    return this.#once('answer', request, what, context, (run) => answerPrompt(this.#options.ports, request, run));
  };

  readonly controlAgent: OwnCalls['controlAgent'] = async (request, context) => {
    const verb = controlVerb(request.action);
    const { desired, lifecycle } = this.#options;
    return this.#once(verb, request, whatOf(verb, request), context, (run) =>
      isDesiredVerb(verb) ? desired.control(verb, request, run) : lifecycle.control(verb, request, run),
    );
  };

  readonly putRoster: OwnCalls['putRoster'] = (request, context) => {
    const { id, timeoutMs, text, expectedDigest, force } = request;
    const order = { verb: 'roster', id, timeoutMs, target: THIS_HOST, usualMs: USUAL_MS.roster } as const;
    const what = [text, expectedDigest, force];
    const { roster } = this.#options;
    return this.#book.once({ ...order, what, rosterDigest: roster.digestOf(text) }, context, (run) =>
      roster.put(request, run),
    );
  };

  readonly getOrder: OwnCalls['getOrder'] = ({ id }) => this.#book.get(id);

  readonly listOrders: OwnCalls['listOrders'] = async ({ newest }) => ({ orders: await this.#book.list(newest) });

  #once(
    verb: OrderVerb,
    { id, target, timeoutMs }: OrderCall,
    what: readonly unknown[],
    context: CallContext,
    act: Act,
    moreMs = 0,
  ): Promise<OrderOutcome> {
    return this.#book.once({ verb, id, target, timeoutMs, usualMs: USUAL_MS[verb] + moreMs, what }, context, act);
  }

  #lookBack(record: OrderRecord): Act | null {
    const { lifecycle, desired, roster } = this.#options;
    const { verb } = record;
    if (verb === 'roster') return () => roster.lookBack(record);
    if (!isControlVerb(verb)) return null;
    return (run) => (isDesiredVerb(verb) ? desired.lookBack(verb, record, run) : lifecycle.lookBack(verb, record, run));
  }
}
