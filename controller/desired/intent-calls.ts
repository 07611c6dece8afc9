/** PutIntent and GetIntent: an intent is taken from whoever may deploy there now, and is on disk before it is answered. */
import { createHash } from 'node:crypto';
import { FleetError } from '../../src/domain/errors.ts';
import { rosterDigest } from '../../src/roster/digest.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { FleetView, HostAgentRecord } from '../../src/view/fleet-view.ts';
import type { FleetServiceService } from '../../src/wire/gen/fleet/v1/fleet.ts';
import { type IntentState, PutIntentRequest } from '../../src/wire/gen/fleet/v1/intent.ts';
import { deployable, leaveForAction, requireLeave } from '../dispatch/authorise.ts';
import { orderAddress, VERB_OF } from '../dispatch/orders.ts';
import type { Handlers, Targets } from '../grpc/handlers.ts';
import type { IntentRecord, IntentStepRecord } from '../store/records.ts';
import { actorOf, type Caller } from '../tenancy/caller.ts';
import { requireTakesOrders } from '../tenancy/quarantine.ts';
import { hostSubject, refusedBy } from '../tenancy/subject.ts';
import { visibleHost } from '../tenancy/visible.ts';
import { checkIntent, type IntentOrder } from './check-intent.ts';
import { giverOf } from './giver.ts';
import type { IntentRuns } from './intent-runs.ts';
import type { Intents } from './intents.ts';
import type { Owners } from './owners.ts';

export interface IntentCallsOptions {
  view: FleetView;
  intents: Intents;
  runs: Pick<IntentRuns, 'lookAnew' | 'isRunning'>;
  owners: Pick<Owners, 'of' | 'owns'>;
  clock: Clock;
}

type Fleet = typeof FleetServiceService;
const MAX_ADDRESS_CHARACTERS = 256;

export const intentHandlers = (options: IntentCallsOptions): Pick<Handlers<Fleet>, 'putIntent' | 'getIntent'> => {
  const { view, intents, runs } = options;
  const tell = (hostAgent: string): IntentState => {
    const held = intents.get(hostAgent);
    if (held === undefined || !options.owners.owns(hostAgent, held)) throw noIntent(hostAgent);
    return stateOf(hostAgent, held, runs.isRunning(hostAgent));
  };
  return {
    putIntent: async (caller, request) => {
      const record = deployable(view, caller, request.hostAgent);
      if (request.steps.length === 0) await withdraw(options, caller, request);
      else await give(options, caller, record, request);
      return tell(record.id);
    },
    getIntent: (caller, { hostAgent }) => tell(visibleHost(view, caller, hostAgent).id),
  };
};

/** Sizes and digests, never a text. */
export const intentTargets = (view: FleetView): Targets<Fleet> => ({
  getIntent: ({ hostAgent }) => hostSubject(view, hostAgent),
  putIntent: ({ hostAgent, id, steps }, caller) => {
    const texts = steps.flatMap(({ putRoster }) => putRoster?.text ?? []);
    const rosters = texts.map((text) => `, roster of ${Buffer.byteLength(text)} bytes ${rosterDigest(text)}`);
    const what = steps.length === 0 ? 'withdrawn' : `${steps.length} steps${rosters.join('')}`;
    const target = `${hostAgent.slice(0, 129)} intent ${id.slice(0, 128)}: ${what}`.slice(0, 512);
    return { ...hostSubject(view, hostAgent, target), ...refusedBy(() => deployable(view, caller, hostAgent)) };
  },
});

const give = async (
  { view, intents, runs, owners, clock }: IntentCallsOptions,
  caller: Caller,
  record: HostAgentRecord,
  request: PutIntentRequest,
): Promise<void> => {
  requireTakesOrders(record, caller);
  const bytes = PutIntentRequest.encode(request).finish();
  const { orders, lastsMs } = checkIntent(request, bytes.length);
  for (const { call, request: order } of orders) {
    if (call === 'controlAgent') requireLeave(caller, leaveForAction(order.action), record);
  }
  const digest = createHash('sha256').update(bytes).digest('hex');
  const last = intents.get(record.id);
  const held = last && owners.owns(record.id, last) ? last : undefined;
  if (held?.id === request.id) {
    if (held.digest === digest) return;
    throw new FleetError('ALREADY_EXISTS', `intent ${request.id} was another one: nothing was changed`);
  }
  const owner = owners.of(record.id);
  if (owner === null) throw new FleetError('NOT_FOUND', 'no such host: see "fleet hosts"');
  const givenMs = clock.nowMs();
  const intent: IntentRecord = {
    ...owner,
    id: request.id,
    digest,
    giver: giverOf(caller),
    givenMs,
    expiresMs: givenMs + lastsMs,
    state: 'waiting',
    reason: '',
    endedMs: 0,
    displaced: held?.state === 'waiting' ? held.id : '',
    steps: orders.map((order) => newStep(view, record, order)),
  };
  if (!(await intents.put(record.id, intent, bytes))) throw meanwhile();
  runs.lookAnew(record.id);
};

const withdraw = async (
  { intents, owners, clock }: IntentCallsOptions,
  caller: Caller,
  { hostAgent, id }: PutIntentRequest,
): Promise<void> => {
  const held = intents.get(hostAgent);
  const isTheirs = held !== undefined && owners.owns(hostAgent, held);
  if (!isTheirs || (id !== '' && id !== held.id)) throw noIntent(hostAgent);
  if (held.state === 'withdrawn') return;
  if (held.state === 'done') throw new FleetError('FAILED_PRECONDITION', `intent ${held.id} is carried out already`);
  const reason = `by ${actorOf(caller)}`;
  if (!(await intents.end(hostAgent, held.id, 'withdrawn', reason, clock.nowMs()))) throw meanwhile();
};

const newStep = (view: FleetView, record: HostAgentRecord, order: IntentOrder): IntentStepRecord => {
  const key = order.call === 'controlAgent' ? (order.request.target?.key ?? '') : '';
  return {
    id: order.request.id,
    verb: order.call === 'controlAgent' ? VERB_OF.controlAgent(order.request) : VERB_OF.putRoster(order.request),
    address: orderAddress(view, record, key).slice(0, MAX_ADDRESS_CHARACTERS),
    key,
    outcome: '',
    reason: '',
    endedMs: 0,
  };
};

const stateOf = (hostAgent: string, held: IntentRecord, isRunning: boolean): IntentState => {
  const { id, state, reason, giver, givenMs, expiresMs, endedMs, displaced, steps } = held;
  return {
    id,
    hostAgent,
    state: state === 'waiting' && isRunning ? 'running' : state,
    reason,
    actor: giver.actor,
    givenMs,
    expiresMs,
    endedMs,
    displaced,
    steps: steps.map(({ key: _, ...step }) => step),
  };
};

const noIntent = (hostAgent: string): FleetError =>
  new FleetError('NOT_FOUND', `no such intent is kept for ${hostAgent}`);

const meanwhile = (): FleetError =>
  new FleetError('ABORTED', 'the intent changed at this moment: look at it and try again', { retryable: true });
