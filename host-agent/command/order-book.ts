/**
 * Orders of this host, each run once: its id is its key. Comes in: an order and how it is done. Goes out: one outcome for
 * each id, the same whenever it is asked for. Never: a second run under an id after its first key.
 */
import { formatAddress, formatHostAddress } from '../../src/domain/address.ts';
import { FleetError } from '../../src/domain/errors.ts';
import { holderUnitOf } from '../../src/domain/holder.ts';
import type { ControlLevel } from '../../src/domain/host-agent.ts';
import {
  isControlVerb,
  isDesiredVerb,
  isLifecycleVerb,
  ORDER_ID,
  type OrderVerb,
  typesNothing,
} from '../../src/domain/order.ts';
import { rosterNameOf } from '../../src/domain/roster.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { OrderOutcome, OrderTarget } from '../../src/wire/gen/fleet/v1/orders.ts';
import type { CallContext } from '../calls/own-calls.ts';
import type { HostPolicy } from '../policy/host-policy.ts';
import { OrderJournal } from './journal.ts';
import { OrderEnd } from './order-end.ts';
import type { OrderRecord } from './order-record.ts';
import type { OrderRun, VerbPorts } from './order-run.ts';
import { levelRefusal } from './policy-gate.ts';
import { RunningOrder } from './running-order.ts';
import { TakeoverRecords } from './takeover-records.ts';

export type Act = (run: OrderRun) => Promise<OrderEnd>;

export interface OrderBookOptions {
  ports: Pick<VerbPorts, 'clock' | 'panes'>;
  policy: () => HostPolicy;
  policyPath: string;
  /** File; its folder exists and is ours alone. */
  journalPath: string;
  names(): { cell: string; host: string; user: string };
  log: Logger;
  /** Wall clock. */
  nowMs: () => number;
  maxOrders?: number;
  /** Hears of each order that is over, once. */
  onEnded?: (record: OrderRecord) => void;
}

export interface Order {
  verb: OrderVerb;
  id: string;
  target: OrderTarget | undefined;
  /** 0: as long as such an order usually takes. */
  timeoutMs: number;
  usualMs: number;
  /** Tells it from another one with the same id. */
  what: readonly unknown[];
  /** Of a roster order: digest of the text that is to be there. */
  rosterDigest?: string;
}

/** Kept after they are over: a day of a busy host. */
const MAX_ORDERS = 5_000;
/** At once; each waits for its pane. */
const MAX_RUNNING = 256;
/** For a unit that systemd may still be stopping: beyond its own TimeoutStopSec. */
const LOOK_BACK_MS = 120_000;
const MAX_TIMEOUT_MS = 24 * 3_600_000;
/** In one answer. */
const MAX_LISTED = 1_000;

/** For an order that is to no agent. */
export const THIS_HOST: OrderTarget = { hostAgent: '', key: '', paneId: '', panePid: 0 };

/** What the host's own policy must allow. */
const levelOf = (verb: OrderVerb): ControlLevel =>
  verb === 'roster' || isDesiredVerb(verb) ? 'deploy' : isLifecycleVerb(verb) ? 'lifecycle' : 'send';

/** How it ended can still be found out by the next process: what it changed can be looked at. */
const isLookedAt = typesNothing;

export class OrderBook {
  readonly #options: OrderBookOptions;
  readonly #journal: OrderJournal;
  readonly #running = new Map<string, RunningOrder>();
  readonly #stopping = new AbortController();
  /** Takeovers, by the same ids and in the same journal. */
  readonly takeovers: TakeoverRecords;
  #started: Promise<void> | null = null;

  constructor(options: OrderBookOptions) {
    this.#options = options;
    const { journalPath: path, nowMs, maxOrders = MAX_ORDERS } = options;
    this.#journal = new OrderJournal({ path, maxOrders, nowMs, staysOpen: isLookedAt });
    this.takeovers = new TakeoverRecords({
      journal: this.#journal,
      ready: () => this.#ready(),
      addressOf: (key) => this.#addressOf(key),
      log: options.log,
      nowMs,
    });
  }

  /**
   * Reads the journal; orders wait for it. Where it cannot be used every order is refused. `lookBack` says how one ended
   * that was begun by a process that is gone; null: it cannot.
   */
  start(lookBack: (record: OrderRecord) => Act | null): void {
    this.#started = this.#journal.start().then(() => this.#lookBack(lookBack));
    this.#started.catch((error) => this.#options.log.error({ err: error }, 'journal of orders cannot be used'));
  }

  /** Ends what runs: what was typed is then `unverifiable`. Resolves when all of it is written. */
  async stopped(): Promise<void> {
    this.#stopping.abort();
    await Promise.allSettled([...this.#running.values()].map(({ ended }) => ended));
    await this.#started?.catch(() => undefined);
    await this.#journal.stop();
  }

  /** Throws NOT_FOUND. */
  async get(id: string): Promise<OrderOutcome> {
    await this.#ready();
    const record = this.#journal.get(id);
    if (!record) throw new FleetError('NOT_FOUND', 'no order with this id was begun here: nothing was typed for it');
    return outcomeOf(record, true);
  }

  /** `newest` 0: as many as one answer holds. */
  async list(newest: number): Promise<OrderOutcome[]> {
    await this.#ready();
    const most = newest === 0 ? MAX_LISTED : Math.min(newest, MAX_LISTED);
    return this.#journal.newest(most).map((record) => outcomeOf(record, false));
  }

  async once(order: Order, context: CallContext, act: Act): Promise<OrderOutcome> {
    const { id, target, verb, what } = order;
    if (!ORDER_ID.test(id))
      throw new FleetError('INVALID_ARGUMENT', 'an order needs an id of 1 to 128 of A-Z a-z 0-9 . _ : -');
    // A stopped agent has no pane.
    const isWhole =
      target === THIS_HOST ||
      (target && target.key !== '' && (isControlVerb(verb) || (target.paneId !== '' && target.panePid !== 0)));
    if (!isWhole) throw new FleetError('INVALID_ARGUMENT', 'an order names its target by key, pane id and pane pid');
    await this.#ready();
    const digestAt = ({ paneId, panePid }: Pick<OrderTarget, 'paneId' | 'panePid'>): string =>
      this.#journal.digestOf([verb, target.key, paneId, panePid, what]);
    const digest = digestAt(target);
    const known = this.#journal.get(id);
    if (known) {
      // Its agent may have another pane by now. One that outlived its first lines is only known to have been begun.
      if (![digest, digestAt(known), ''].includes(known.digest)) {
        throw new FleetError('ALREADY_EXISTS', 'another order has this id: nothing was done; leave --id out');
      }
      await this.#running.get(id)?.join(context.signal);
      return outcomeOf(this.#journal.get(id) ?? known, true);
    }
    return this.#begin(order, digest, context, act);
  }

  async #begin(order: Order, digest: string, context: CallContext, act: Act): Promise<OrderOutcome> {
    const { verb, id, target, timeoutMs, usualMs, rosterDigest } = order;
    const { actor, federated } = context.origin;
    const { ports, nowMs, policy, policyPath, names } = this.#options;
    if (this.#running.size >= MAX_RUNNING) {
      throw new FleetError('RESOURCE_EXHAUSTED', `${MAX_RUNNING} orders are under way here: nothing was typed`);
    }
    const { key = '' } = target ?? {};
    const { paneId = '', panePid = 0 } = (isControlVerb(verb) ? ports.panes.pane(key) : target) ?? {};
    const running = this.#runs({ id, verb, actor, federated }, Math.min(timeoutMs || usualMs, MAX_TIMEOUT_MS), () =>
      levelRefusal(policy(), { path: policyPath, host: names().host }, context.origin, levelOf(verb)),
    );
    const received = this.#journal.received({
      id,
      verb,
      address: this.#addressOf(key),
      key,
      paneId,
      panePid,
      digest,
      actor,
      beganMs: nowMs(),
      ...(rosterDigest === undefined ? {} : { rosterDigest }),
    });
    void running
      .run(async (run) => {
        await received.catch(refuseUnwritten);
        return act(run);
      })
      .finally(() => this.#over(id));
    await running.join(context.signal);
    return outcomeOf(this.#journal.get(id) as OrderRecord, false);
  }

  /** Orders of a process that is gone run on as a look at what became of them. */
  #lookBack(lookBack: (record: OrderRecord) => Act | null): void {
    for (const record of this.#journal.open()) {
      const look = lookBack(record);
      if (look === null) continue;
      void this.#runs({ ...record, federated: false }, LOOK_BACK_MS, () => null)
        .run(async (run) => {
          await run.typing();
          return look(run);
        })
        .finally(() => this.#over(record.id));
    }
  }

  /** Without an outcome it was left to the next process, which looks back at it. */
  #over(id: string): void {
    this.#running.delete(id);
    const record = this.#journal.get(id);
    if (record !== undefined && record.outcome !== null) this.#options.onEnded?.(record);
  }

  #runs(
    { id, verb, actor, federated }: Pick<OrderRecord, 'id' | 'verb' | 'actor'> & { federated: boolean },
    timeoutMs: number,
    refusal: () => string | null,
  ): RunningOrder {
    const running = new RunningOrder({
      id,
      owner: `${verb} ${id} by ${actor}`,
      journal: this.#journal,
      clock: this.#options.ports.clock,
      timeoutMs,
      stopping: this.#stopping.signal,
      refusal,
      staysOpen: isLookedAt(verb),
      isFederated: federated,
      log: this.#options.log,
    });
    this.#running.set(id, running);
    return running;
  }

  /** Empty where there is no such row; the host's own where there is no key. */
  #addressOf(key: string): string {
    if (key === '') return formatHostAddress(this.#options.names());
    const { panes } = this.#options.ports;
    const agent = panes.row(key)?.agent ?? holderUnitOf(key) ?? rosterNameOf(key) ?? undefined;
    return agent === undefined ? '' : formatAddress({ ...this.#options.names(), agent });
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
