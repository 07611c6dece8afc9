/**
 * Orders on their way to one host: indexed before they leave, their outcome kept as far as it is known. When the line breaks
 * after delivery nobody here knows what was typed, and the outcome says so.
 */
import { formatAddress, formatHostAddress } from '../../src/domain/address.ts';
import { FleetError } from '../../src/domain/errors.ts';
import { controlVerb, type OrderVerb } from '../../src/domain/order.ts';
import { rosterNameOf } from '../../src/domain/roster.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { FleetView, HostAgentRecord } from '../../src/view/fleet-view.ts';
import type { OnBehalfOf } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import type { OrderOutcome } from '../../src/wire/gen/fleet/v1/orders.ts';
import type { RequestOf } from '../../src/wire/host-calls.ts';
import { CutShort } from '../grpc/cut-short.ts';
import type { OrderRecord } from '../store/records.ts';
import { addressOf, isFederated } from '../tenancy/visible.ts';
import type { HostCalls } from '../uplink/host-calls.ts';
import { BrokenCall } from '../uplink/tunnel.ts';
import type { OrderIndex } from './order-index.ts';
import { type OrderOwner, tenantOwner } from './order-owner.ts';

export type OrderCall = 'sendText' | 'pressKeys' | 'answerPrompt' | 'controlAgent' | 'putRoster';

/** Throws INVALID_ARGUMENT for an action that is none. */
export const VERB_OF: { [C in OrderCall]: (request: RequestOf<C>) => OrderVerb } = {
  sendText: () => 'send',
  pressKeys: () => 'keys',
  answerPrompt: () => 'answer',
  controlAgent: ({ action }) => controlVerb(action),
  putRoster: () => 'roster',
};

/** Of an agent that has a row, or that its host's roster is about to name; without a key that of the host itself. */
export const orderAddress = (view: FleetView, record: HostAgentRecord, key: string): string => {
  if (key === '') return formatHostAddress(record);
  const { cell, host, user, id } = record;
  const named = view.rowsOf(id).has(key) ? null : rosterNameOf(key);
  if (named === null) return addressOf(view, { hostAgent: id, key });
  return formatAddress({ cell, host, user, agent: named.slice(0, MAX_NAME_CHARACTERS) });
};

const MAX_NAME_CHARACTERS = 128;

export interface OrdersOptions {
  view: FleetView;
  calls: Pick<HostCalls, 'unary'>;
  index: OrderIndex;
  clock: Clock;
  log: Logger;
  /** Hears what became of an order, when that is known and whenever it is known better. */
  onSettled?: (record: HostAgentRecord, order: SettledOrder) => void;
}

export interface SettledOrder extends Pick<OrderRecord, 'address' | 'actor'> {
  id: string;
  verb: string;
  outcome: string;
}

/** Whose order it is: of an agent of a peer, whose tenants are its own, the caller's. */
export const orderTenant = (record: HostAgentRecord, callerTenantId: string): string =>
  isFederated(record) ? callerTenantId : record.tenantId;

/** For orders that name no time of their own. */
const ORDER_TIMEOUT_MS = 60_000;
/** A host gives no order longer. */
const MAX_ORDER_TIMEOUT_MS = 24 * 3_600_000;
/** A host that ran out of an order's time still says what became of it. */
const MARGIN_MS = 5_000;
const ASK_DEADLINE_MS = 5_000;

export class Orders {
  readonly #options: OrdersOptions;

  constructor(options: OrdersOptions) {
    this.#options = options;
  }

  /** Rejects as the host does, with UNAVAILABLE when the order did not reach it, and with CutShort when it was given up. */
  async give<C extends OrderCall>(
    record: HostAgentRecord,
    call: C,
    request: RequestOf<C>,
    caller: OnBehalfOf,
    signal: AbortSignal,
    owner: OrderOwner = tenantOwner(orderTenant(record, caller.tenantId)),
  ): Promise<OrderOutcome> {
    const { view, calls, index, clock } = this.#options;
    // An order to the host itself has no key.
    const target = { hostAgent: record.id, key: ('target' in request ? request.target?.key : undefined) ?? '' };
    const { entry, isNew } = await index.begin(owner.name, request.id, {
      ...target,
      address: orderAddress(view, record, target.key),
      actor: caller.actor,
      verb: VERB_OF[call](request),
      beganMs: clock.nowMs(),
      outcome: 'pending',
      ...(owner.peer === undefined ? {} : { peer: owner.peer }),
    });
    const deadlineMs = Math.min(request.timeoutMs || ORDER_TIMEOUT_MS, MAX_ORDER_TIMEOUT_MS) + MARGIN_MS;
    try {
      const onward = { ...request, id: owner.hostId(request.id) };
      const answer = await calls.unary(record.id, call, onward, { caller, signal, deadlineMs });
      const outcome = told(request.id, entry, answer);
      this.#settle(owner, request.id, entry, outcome.outcome);
      return outcome;
    } catch (error) {
      if (error instanceof BrokenCall) {
        if (isNew) this.#settle(owner, request.id, entry, 'unknown');
        return unknown(
          request.id,
          entry,
          `${error.message}, after the order was sent: "fleet order ${request.id}" asks again`,
        );
      }
      // Given up by its caller it may have been under way; else it was refused, or never delivered. What was heard of an
      // earlier call with this id stands.
      if (isNew) this.#settle(owner, request.id, entry, signal.aborted ? 'unknown' : 'refused');
      throw signal.aborted && error instanceof FleetError ? new CutShort(error) : error;
    }
  }

  /** What became of it: in the host's words, or by the last that was heard where it cannot be asked. */
  async look(
    id: string,
    entry: OrderRecord,
    owner: OrderOwner,
    caller: OnBehalfOf,
    signal: AbortSignal,
  ): Promise<OrderOutcome> {
    const options = { caller, signal, deadlineMs: ASK_DEADLINE_MS };
    try {
      const asked = { id: owner.hostId(id) };
      const outcome = told(id, entry, await this.#options.calls.unary(entry.hostAgent, 'getOrder', asked, options));
      this.#settle(owner, id, entry, outcome.outcome);
      return outcome;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof FleetError)) throw error;
      if (error.code === 'NOT_FOUND' && entry.outcome === 'unknown' && this.#isTold(entry)) {
        // It went into a line that broke; the host, heard through another, never began it.
        this.#settle(owner, id, entry, 'refused');
        return { ...unknown(id, entry, error.message), outcome: 'refused' };
      }
      const isKnown = entry.outcome !== 'pending' && entry.outcome !== 'unknown';
      const last = isKnown ? `as last heard: ${error.message}` : error.message;
      return { ...unknown(id, entry, last), outcome: isKnown ? entry.outcome : 'unknown' };
    }
  }

  /** A peer says the same of an order that never was and of one that it grants no more. */
  #isTold({ hostAgent, key }: OrderRecord): boolean {
    const { view } = this.#options;
    const record = view.hostAgent(hostAgent);
    return record === undefined || !isFederated(record) || view.rowsOf(hostAgent).has(key);
  }

  /** Losing this costs an answer later, never the order. */
  #settle({ name }: OrderOwner, id: string, entry: OrderRecord, outcome: string): void {
    const { index, view, onSettled } = this.#options;
    const record = view.hostAgent(entry.hostAgent);
    const isNews = outcome !== 'pending' && index.get(name, id)?.outcome !== outcome;
    if (isNews && record !== undefined)
      onSettled?.(isFederated(record) ? { ...record, tenantId: name } : record, { ...entry, id, outcome });
    index
      .settle(name, id, entry, outcome)
      .catch((err: unknown) => this.#options.log.error({ err, order: id }, 'outcome of an order not stored'));
  }
}

const MAX_OUTCOME_CHARACTERS = 32;
const MAX_REASON_CHARACTERS = 1_000;

/** A host says what became of an order, and not which one it was; what it says is bounded, since it is kept and shown. */
const told = (id: string, { address, verb, actor }: OrderRecord, outcome: OrderOutcome): OrderOutcome => ({
  ...outcome,
  id,
  address,
  verb,
  actor,
  outcome: outcome.outcome.slice(0, MAX_OUTCOME_CHARACTERS),
  reason: outcome.reason.slice(0, MAX_REASON_CHARACTERS),
});

const unknown = (id: string, { address, verb, actor, beganMs }: OrderRecord, reason: string): OrderOutcome => ({
  id,
  address,
  verb,
  actor,
  beganMs,
  endedMs: 0,
  outcome: 'unknown',
  reason,
  repeated: false,
});
