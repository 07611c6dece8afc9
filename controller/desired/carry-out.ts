/**
 * Carries out what is left of one intent: its orders one after the other, each judged, audited and given as if its giver gave
 * it now. The same ids again after a break: what was begun before is answered from the host's own journal.
 */
import { randomBytes } from 'node:crypto';
import { cleanText } from '../../src/domain/clean-text.ts';
import { FleetError } from '../../src/domain/errors.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { FleetView, HostAgentRecord } from '../../src/view/fleet-view.ts';
import type { OrderOutcome } from '../../src/wire/gen/fleet/v1/orders.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import { unknownBecause } from '../audit/open-calls.ts';
import { deployable, leaveForAction, requireLeave } from '../dispatch/authorise.ts';
import { namedOrder } from '../dispatch/order-index.ts';
import type { Orders } from '../dispatch/orders.ts';
import { keptReason } from '../grpc/relayed-error.ts';
import type { IntentRecord, IntentStepRecord, Records } from '../store/records.ts';
import type { Caller } from '../tenancy/caller.ts';
import { onBehalfOf } from '../tenancy/on-behalf-of.ts';
import { agentSubject, hostSubject } from '../tenancy/subject.ts';
import type { AppliedRosters } from './applied-rosters.ts';
import type { IntentOrder } from './check-intent.ts';
import type { Expiries } from './expiries.ts';
import { callerNow } from './giver.ts';
import { isSkipped, keptOutcome, notRemoved, progress, shortcomings, type Told } from './intent-progress.ts';
import type { IntentEnd, Intents } from './intents.ts';

export interface CarryOutOptions {
  intents: Intents;
  expiries: Expiries;
  applied: Pick<AppliedRosters, 'put'>;
  orders: Pick<Orders, 'give'>;
  records: Records;
  audit: Pick<AuditLog, 'record' | 'conclude'>;
  view: FleetView;
  /** The host is there, with its rows. */
  isReported(hostAgent: string): boolean;
  clock: Clock;
  log: Logger;
  localName: string;
}

/** later: the host went away, or cannot take an order now. */
export type CarriedOut = 'over' | 'later';

/** An order whose host is there and says that it does not know is given this often. */
const ATTEMPTS = 3;
const MAX_OUTCOME_CHARACTERS = 32;
const MAX_REASON_CHARACTERS = 160;
/** Of a failed order: that it was not taken at this moment says nothing of later. */
const PASSING: readonly FleetError['code'][] = ['UNAVAILABLE', 'RESOURCE_EXHAUSTED', 'DEADLINE_EXCEEDED', 'ABORTED'];

export class IntentRun {
  readonly #options: CarryOutOptions;
  readonly #hostAgent: string;
  readonly #id: string;
  readonly #signal: AbortSignal;

  constructor(options: CarryOutOptions, hostAgent: string, id: string, signal: AbortSignal) {
    this.#options = options;
    this.#hostAgent = hostAgent;
    this.#id = id;
    this.#signal = signal;
  }

  async carryOut(): Promise<CarriedOut> {
    const { intents, expiries } = this.#options;
    const orders = await intents.orders(this.#hostAgent, this.#id);
    if (orders === null) return await this.#end('stopped', 'its orders are not stored any more');
    for (const [index, order] of orders.entries()) {
      const intent = intents.waiting(this.#hostAgent, this.#id);
      if (intent === undefined) return 'over';
      const step = intent.steps[index];
      if (step === undefined || step.outcome !== '') continue;
      if (expiries.isOver(this.#hostAgent, intent)) return await this.#end('expired', progress(intent));
      if (isSkipped(intent, step)) {
        const reason = 'an earlier step for this agent did not end well';
        await this.#told(index, { outcome: 'skipped', reason, endedMs: 0 });
        continue;
      }
      const left = order.call === 'putRoster' ? notRemoved(intent) : null;
      if (left !== null) return await this.#end('stopped', left);
      const outcome = await this.#step(intent, step, order, index);
      if (typeof outcome === 'string') return outcome;
      await this.#told(index, outcome);
      if (order.call === 'putRoster' && outcome.outcome !== 'done') {
        const kept = `step ${index + 1}, the roster, ended ${keptOutcome(outcome.outcome)}`;
        return await this.#end('stopped', `${kept}: ${cleanText(outcome.reason)}`, kept);
      }
    }
    const intent = intents.waiting(this.#hostAgent, this.#id);
    return intent === undefined ? 'over' : await this.#end('done', shortcomings(intent));
  }

  /** Its time was over before it could be begun, or gone on with. */
  expire(reason: string): Promise<CarriedOut> {
    return this.#end('expired', reason);
  }

  async #step(
    intent: IntentRecord,
    step: IntentStepRecord,
    order: IntentOrder,
    index: number,
  ): Promise<Told | CarriedOut> {
    const { records, view, audit, log } = this.#options;
    let caller: Caller;
    let record: HostAgentRecord;
    try {
      caller = callerNow(records, intent.giver);
      record = deployable(view, caller, this.#hostAgent);
      if (order.call === 'controlAgent') requireLeave(caller, leaveForAction(order.request.action), record);
    } catch (error) {
      if (!(error instanceof FleetError)) throw error;
      return await this.#end('stopped', error.message);
    }
    if (record.quarantined) return 'later';
    const isRoster = order.call === 'putRoster';
    const verb = `/fleet.v1.FleetService/${isRoster ? 'PutRoster' : 'ControlAgent'}`;
    const entry = {
      actor: intent.giver.actor,
      ...(caller.kind === 'local' ? {} : { actorTenantId: caller.tenantId }),
      ...(isRoster
        ? hostSubject(view, this.#hostAgent)
        : { ...agentSubject(view, { hostAgent: this.#hostAgent, key: step.key }), target: step.address }),
      ...namedOrder(order.request.id),
      verb,
      // Whatever ends this controller first: the next one closes what it left open.
      call: randomBytes(6).toString('hex'),
    };
    const under = `intent ${intent.id}, step ${index + 1}`;
    try {
      await audit.record({ ...entry, outcome: 'allowed', reason: under });
    } catch (err) {
      log.error(
        { err, hostAgent: this.#hostAgent, intent: this.#id },
        'step of an intent not given: it cannot be audited',
      );
      return 'later';
    }
    const told = await this.#give(record, order, caller).catch((error: unknown) => {
      const why = this.#signal.aborted ? 'the controller stopped' : 'internal error';
      audit.conclude({ ...entry, outcome: 'ended', reason: `${under}: ${unknownBecause(why)}` });
      throw error;
    });
    if (told === 'unheard') {
      audit.conclude({ ...entry, outcome: 'ended', reason: `${under}: ${unknownBecause('its host cannot be heard')}` });
      return 'later';
    }
    const said = told === 'later' ? 'the host could not take it' : keptOutcome(told.outcome);
    audit.conclude({ ...entry, outcome: told === 'later' ? 'failed' : 'done', reason: `${under}: ${said}` });
    return told;
  }

  /** `unheard`: it was begun, and its host went away before it could say what came of it. */
  async #give(record: HostAgentRecord, order: IntentOrder, caller: Caller): Promise<Told | 'later' | 'unheard'> {
    const { applied, orders, isReported, localName } = this.#options;
    const behalf = onBehalfOf(caller, localName);
    const give = (): Promise<OrderOutcome> =>
      order.call === 'putRoster'
        ? applied.put(record, order.request, behalf, this.#signal)
        : orders.give(record, 'controlAgent', order.request, behalf, this.#signal);
    try {
      for (let attempt = 1; ; attempt++) {
        const { outcome, reason, endedMs } = await give();
        const isKnown = outcome !== 'unknown' && outcome !== 'pending';
        if (isKnown || attempt === ATTEMPTS) return { outcome, reason, endedMs };
        if (!isReported(record.id)) return 'unheard';
      }
    } catch (error) {
      if (this.#signal.aborted || !(error instanceof FleetError)) throw error;
      if (PASSING.includes(error.code)) return 'later';
      return { outcome: 'refused', reason: keptReason(error), endedMs: 0 };
    }
  }

  /** `kept` is for the log and the audit, where no word of a host stands. */
  async #end(state: IntentEnd, reason: string, kept = reason): Promise<CarriedOut> {
    const { intents, audit, view, clock, log } = this.#options;
    const actor = intents.get(this.#hostAgent)?.giver.actor ?? '';
    if (await intents.end(this.#hostAgent, this.#id, state, reason, clock.nowMs())) {
      const entry = {
        actor,
        ...hostSubject(view, this.#hostAgent, `${this.#hostAgent} intent ${this.#id}`),
        verb: '/fleet.v1.FleetService/PutIntent',
      };
      audit.conclude({ ...entry, outcome: state === 'done' ? 'done' : 'failed', reason: `${state}: ${kept}` });
      log.info({ hostAgent: this.#hostAgent, intent: this.#id, state, why: kept }, 'intent is over');
    }
    return 'over';
  }

  async #told(index: number, { outcome, reason, endedMs }: Told): Promise<void> {
    await this.#options.intents.told(this.#hostAgent, this.#id, index, {
      outcome: outcome.slice(0, MAX_OUTCOME_CHARACTERS),
      reason: cleanText(reason.slice(0, MAX_REASON_CHARACTERS)),
      endedMs,
    });
  }
}
