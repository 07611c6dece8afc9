/**
 * Orders to this host's agents, each run once: its id is its key. Comes in: calls, whoever asks. Goes out: one outcome
 * for each id, the same whenever it is asked for. Never: a second run under an id after its first key.
 */

import { formatAddress, formatHostAddress } from '../../src/domain/address.ts';
import { FleetError } from '../../src/domain/errors.ts';
import { holderUnitOf } from '../../src/domain/holder.ts';
import type { ControlLevel } from '../../src/domain/host-agent.ts';
import { keyNames } from '../../src/domain/key-names.ts';
import {
  type ControlVerb,
  controlVerb,
  type DesiredVerb,
  isControlVerb,
  isDesiredVerb,
  isLifecycleVerb,
  type LifecycleVerb,
  type OrderVerb,
} from '../../src/domain/order.ts';
import { rosterNameOf } from '../../src/domain/roster.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { ControlAgentRequest, OrderOutcome, OrderTarget } from '../../src/wire/gen/fleet/v1/orders.ts';
import type { PutRosterRequest } from '../../src/wire/gen/fleet/v1/roster.ts';
import type { CallContext, OwnCalls } from '../calls/own-calls.ts';
import type { HostPolicy } from '../policy/host-policy.ts';
import { answerPrompt } from './answer-prompt.ts';
import { OrderJournal } from './journal.ts';
import { messageOf } from './message-text.ts';
import { OrderEnd } from './order-end.ts';
import { ORDER_ID, type OrderRecord } from './order-record.ts';
import type { OrderRun, VerbPorts } from './order-run.ts';
import { levelRefusal } from './policy-gate.ts';
import { pressKeys } from './press-keys.ts';
import { RunningOrder } from './running-order.ts';
import { sendText } from './send-text.ts';
import { TakeoverRecords } from './takeover-records.ts';

/** What changes agents; each says how it ended, by word or by throwing. */
export interface ControlOrders<V extends ControlVerb> {
  control(verb: V, request: ControlAgentRequest, run: OrderRun): Promise<OrderEnd>;
  /** How one ended that was begun by a process that is gone. */
  lookBack(verb: V, record: OrderRecord, run: OrderRun): Promise<OrderEnd>;
}

/** Whoever writes this host's own roster. */
export interface RosterOrders {
  put(request: PutRosterRequest, run: OrderRun): Promise<OrderEnd>;
}

export interface OrdersOptions {
  ports: VerbPorts;
  lifecycle: ControlOrders<LifecycleVerb>;
  desired: ControlOrders<DesiredVerb>;
  roster: RosterOrders;
  policy: () => HostPolicy;
  policyPath: string;
  /** File; its folder exists and is ours alone. */
  journalPath: string;
  names(): { cell: string; host: string; user: string };
  log: Logger;
  /** Wall clock. */
  nowMs: () => number;
  maxOrders?: number;
}

/** Kept after they are over: a day of a busy host. */
const MAX_ORDERS = 5_000;
/** At once; each waits for its pane. */
const MAX_RUNNING = 256;
const DEFAULT_MS: Record<OrderVerb, number> = {
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
/** For a unit that systemd may still be stopping: beyond its own TimeoutStopSec. */
const LOOK_BACK_MS = 120_000;
const MAX_TIMEOUT_MS = 24 * 3_600_000;

/** For an order that is to no agent. */
const THIS_HOST: OrderTarget = { hostAgent: '', key: '', paneId: '', panePid: 0 };

/** What the host's own policy must allow. */
const levelOf = (verb: OrderVerb): ControlLevel =>
  verb === 'roster' || isDesiredVerb(verb) ? 'deploy' : isLifecycleVerb(verb) ? 'lifecycle' : 'send';

/** What tells an order from another one with the same id. */
const whatOf = (verb: ControlVerb, request: ControlAgentRequest): unknown[] => {
  const { force, adopt, rosterDigest, migrate, purge } = request;
  if (isDesiredVerb(verb)) return [force, rosterDigest, migrate, purge];
  // An order of a version that knew no more has the digest that it had.
  return adopt ? [force, 'adopt'] : [force];
};

type Act = (run: OrderRun) => Promise<OrderEnd>;

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

/** In one answer. */
const MAX_LISTED = 1_000;

export class Orders implements Pick<OwnCalls, OrderCalls> {
  readonly #options: OrdersOptions;
  readonly #journal: OrderJournal;
  readonly #running = new Map<string, RunningOrder>();
  readonly #stopping = new AbortController();
  /** Takeovers, by the same ids and in the same journal. */
  readonly takeovers: TakeoverRecords;
  #started: Promise<void> | null = null;

  constructor(options: OrdersOptions) {
    this.#options = options;
    const { journalPath: path, nowMs, maxOrders = MAX_ORDERS } = options;
    this.#journal = new OrderJournal({ path, maxOrders, nowMs, staysOpen: isControlVerb });
    this.takeovers = new TakeoverRecords({
      journal: this.#journal,
      ready: () => this.#ready(),
      addressOf: (key) => this.#addressOf(key),
      log: options.log,
      nowMs,
    });
  }

  /** Reads the journal; orders wait for it. Where it cannot be used every order is refused. */
  start(): void {
    this.#started = this.#journal.start().then(() => this.#lookBack());
    this.#started.catch((error) => this.#options.log.error({ err: error }, 'journal of orders cannot be used'));
  }

  /** Ends what runs: what was typed is then `unverifiable`. Resolves when all of it is written. */
  async stopped(): Promise<void> {
    this.#stopping.abort();
    await Promise.allSettled([...this.#running.values()].map(({ ended }) => ended));
    await this.#started?.catch(() => undefined);
    await this.#journal.stop();
  }

  readonly sendText: OwnCalls['sendText'] = (request, context) => {
    const { text, sender, noLabel, waitIdleMs } = request;
    const { host } = this.#options.names();
    const target = request.target?.key ?? '';
    const to = { host, session: this.#options.ports.panes.row(target)?.agent ?? target };
    const from = { host: sender?.host || host, session: sender?.session || 'unproven' };
    const message = messageOf(text, noLabel ? null : { from, to });
    return this.#once('send', request, DEFAULT_MS.send + waitIdleMs, [text, noLabel, sender], context, (run) =>
      sendText(this.#options.ports, request, message, run),
    );
  };

  readonly pressKeys: OwnCalls['pressKeys'] = (request, context) => {
    const keys = keyNames(request.keys);
    const what = [keys, request.ifPrompt, request.blind];
    return this.#once('keys', request, DEFAULT_MS.keys, what, context, (run) =>
      pressKeys(this.#options.ports, request, keys, run),
    );
  };

  readonly answerPrompt: OwnCalls['answerPrompt'] = (request, context) => {
    const what = [request.promptId, request.choice];
    return this.#once('answer', request, DEFAULT_MS.answer, what, context, (run) =>
      answerPrompt(this.#options.ports, request, run),
    );
  };

  readonly controlAgent: OwnCalls['controlAgent'] = async (request, context) => {
    const verb = controlVerb(request.action);
    return this.#once(verb, request, DEFAULT_MS[verb], whatOf(verb, request), context, (run) =>
      isDesiredVerb(verb)
        ? this.#options.desired.control(verb, request, run)
        : this.#options.lifecycle.control(verb, request, run),
    );
  };

  readonly putRoster: OwnCalls['putRoster'] = (request, context) => {
    const { id, timeoutMs, text, expectedDigest, force } = request;
    const call = { id, timeoutMs, target: THIS_HOST };
    return this.#once('roster', call, DEFAULT_MS.roster, [text, expectedDigest, force], context, (run) =>
      this.#options.roster.put(request, run),
    );
  };

  readonly getOrder: OwnCalls['getOrder'] = async ({ id }) => {
    await this.#ready();
    const record = this.#journal.get(id);
    if (!record) throw new FleetError('NOT_FOUND', 'no order with this id was begun here: nothing was typed for it');
    return outcomeOf(record, true);
  };

  readonly listOrders: OwnCalls['listOrders'] = async ({ newest }) => {
    await this.#ready();
    const most = newest === 0 ? MAX_LISTED : Math.min(newest, MAX_LISTED);
    return { orders: this.#journal.newest(most).map((record) => outcomeOf(record, false)) };
  };

  async #once(
    verb: OrderVerb,
    call: OrderCall,
    defaultMs: number,
    what: readonly unknown[],
    context: CallContext,
    act: Act,
  ): Promise<OrderOutcome> {
    const { id, target } = call;
    if (!ORDER_ID.test(id))
      throw new FleetError('INVALID_ARGUMENT', 'an order needs an id of 1 to 128 of A-Z a-z 0-9 . _ : -');
    // A stopped agent has no pane.
    const isWhole =
      target === THIS_HOST ||
      (target && target.key !== '' && (isControlVerb(verb) || (target.paneId !== '' && target.panePid !== 0)));
    if (!isWhole) throw new FleetError('INVALID_ARGUMENT', 'an order names its target by key, pane id and pane pid');
    await this.#ready();
    const digest = this.#journal.digestOf([verb, target.key, target.paneId, target.panePid, what]);
    const known = this.#journal.get(id);
    if (known) {
      // One that outlived its first lines is only known to have been begun.
      if (known.digest !== digest && known.digest !== '') {
        throw new FleetError('ALREADY_EXISTS', 'another order has this id: nothing was done; leave --id out');
      }
      await this.#running.get(id)?.join(context.signal);
      return outcomeOf(this.#journal.get(id) ?? known, true);
    }
    return this.#begin({ verb, digest, call, defaultMs, context, act });
  }

  async #begin(order: {
    verb: OrderVerb;
    digest: string;
    call: OrderCall;
    defaultMs: number;
    context: CallContext;
    act: Act;
  }): Promise<OrderOutcome> {
    const { verb, digest, call, defaultMs, context, act } = order;
    const { id, target } = call;
    const { ports, nowMs, log, policy, policyPath, names } = this.#options;
    if (this.#running.size >= MAX_RUNNING) {
      throw new FleetError('RESOURCE_EXHAUSTED', `${MAX_RUNNING} orders are under way here: nothing was typed`);
    }
    const { key = '' } = target ?? {};
    const { paneId = '', panePid = 0 } = (isControlVerb(verb) ? ports.panes.pane(key) : target) ?? {};
    const running = new RunningOrder({
      id,
      owner: ownerOf(verb, id, context.origin.actor),
      journal: this.#journal,
      clock: ports.clock,
      timeoutMs: Math.min(call.timeoutMs || defaultMs, MAX_TIMEOUT_MS),
      stopping: this.#stopping.signal,
      refusal: () => levelRefusal(policy(), { path: policyPath, host: names().host }, context.origin, levelOf(verb)),
      staysOpen: isControlVerb(verb),
      log,
    });
    this.#running.set(id, running);
    const received = this.#journal.received({
      id,
      verb,
      address: this.#addressOf(key),
      key,
      paneId,
      panePid,
      digest,
      actor: context.origin.actor,
      beganMs: nowMs(),
    });
    void running
      .run(async (run) => {
        await received.catch(refuseUnwritten);
        return act(run);
      })
      .finally(() => this.#running.delete(id));
    await running.join(context.signal);
    return outcomeOf(this.#journal.get(id) as OrderRecord, false);
  }

  /** Empty where there is no such row; the host's own where there is no key. */
  #addressOf(key: string): string {
    if (key === '') return formatHostAddress(this.#options.names());
    const { panes } = this.#options.ports;
    const agent = panes.row(key)?.agent ?? holderUnitOf(key) ?? rosterNameOf(key) ?? undefined;
    return agent === undefined ? '' : formatAddress({ ...this.#options.names(), agent });
  }

  /** Orders of a process that is gone run on as a look at what became of them. */
  #lookBack(): void {
    const { ports, lifecycle, desired, log } = this.#options;
    for (const record of this.#journal.open()) {
      const { id, verb, actor } = record;
      if (!isControlVerb(verb)) continue;
      const running = new RunningOrder({
        id,
        owner: ownerOf(verb, id, actor),
        journal: this.#journal,
        clock: ports.clock,
        timeoutMs: LOOK_BACK_MS,
        stopping: this.#stopping.signal,
        refusal: () => null,
        staysOpen: true,
        log,
      });
      this.#running.set(id, running);
      void running
        .run(async (run) => {
          await run.typing();
          return isDesiredVerb(verb) ? desired.lookBack(verb, record, run) : lifecycle.lookBack(verb, record, run);
        })
        .finally(() => this.#running.delete(id));
    }
  }

  async #ready(): Promise<void> {
    try {
      await this.#started;
    } catch (error) {
      const { code = 'unknown error' } = error as NodeJS.ErrnoException;
      throw new FleetError('FAILED_PRECONDITION', `orders cannot be journalled here (${code}), so none is run`);
    }
    if (this.#stopping.signal.aborted) throw new FleetError('UNAVAILABLE', 'the host-agent is stopping');
  }
}

const ownerOf = (verb: OrderVerb, id: string, actor: string): string => `${verb} ${id} by ${actor}`;

const refuseUnwritten = (error: NodeJS.ErrnoException): never => {
  throw new OrderEnd('refused', `it could not be journalled (${error.code ?? 'unknown error'})`);
};

const outcomeOf = (record: OrderRecord, repeated: boolean): OrderOutcome => ({
  id: record.id,
  address: record.address,
  verb: record.verb,
  outcome: record.outcome ?? 'pending',
  reason: record.reason,
  actor: record.actor,
  beganMs: record.beganMs,
  endedMs: record.endedMs,
  repeated,
});
