/**
 * Calls of FleetService that go to the one host that can answer them: what its agent says of itself to whoever may see it,
 * and what changes something to whoever may do it there.
 */
import { cleanText } from '../../src/domain/clean-text.ts';
import { FleetError } from '../../src/domain/errors.ts';
import { isDesiredVerb } from '../../src/domain/order.ts';
import type { FleetView, HostAgentRecord } from '../../src/view/fleet-view.ts';
import type { FleetServiceService } from '../../src/wire/gen/fleet/v1/fleet.ts';
import type { ControlAgentRequest } from '../../src/wire/gen/fleet/v1/orders.ts';
import type { RequestOf } from '../../src/wire/host-calls.ts';
import type { BodyMac } from '../audit/body-mac.ts';
import type { Handlers, Targets } from '../grpc/handlers.ts';
import type { Records } from '../store/records.ts';
import type { Caller, GrantableVerb } from '../tenancy/caller.ts';
import { onBehalfOf } from '../tenancy/on-behalf-of.ts';
import { agentSubject, hostSubject, refusedBy, type Subject } from '../tenancy/subject.ts';
import { isVisible, visibleHost, visibleHostOf } from '../tenancy/visible.ts';
import type { HostCalls } from '../uplink/host-calls.ts';
import { authorise, deployableNow, leaveForAction } from './authorise.ts';
import { type OpenLeave, openLeave } from './open-leave.ts';
import { KEPT, namedOrder, type OrderIndex } from './order-index.ts';
import { ownerOf, peerOwner, tenantOwner } from './order-owner.ts';
import { type OrderCall, type Orders, orderTenant } from './orders.ts';
import { boundedWriter } from './relayed-stream.ts';
import { sentBy } from './sent-by.ts';

type Fleet = typeof FleetServiceService;
export type Dispatched =
  | 'tailTerminal'
  | 'explainAgent'
  | 'getOrder'
  | 'listOrders'
  | 'getAuditHeads'
  | 'sendText'
  | 'pressKeys'
  | 'answerPrompt'
  | 'controlAgent'
  | 'holdTerminal'
  | 'typeKeys';

export interface DispatchOptions {
  view: FleetView;
  records: Records;
  calls: Pick<HostCalls, 'unary' | 'stream'>;
  orders: Orders;
  index: OrderIndex;
  /** user@machine of whoever reaches the admin socket. */
  localName: string;
}

const ASK_DEADLINE_MS = 10_000;

export const dispatchHandlers = (options: DispatchOptions): Pick<Handlers<Fleet>, Dispatched> => {
  const { view, calls, orders, index, localName } = options;
  /** What this cell's own were let in for is carried out; a peer has leave for as long as its grant stands. */
  const orderLeave = (
    caller: Caller,
    verb: GrantableVerb,
    { target }: { target?: { hostAgent: string; key: string } | undefined },
    signal: AbortSignal,
  ): OpenLeave =>
    caller.grants === null || target === undefined
      ? { signal, [Symbol.dispose]: () => undefined }
      : openLeave(options, caller, verb, target, signal);
  const order =
    <C extends Exclude<OrderCall, 'controlAgent' | 'putRoster'>>(call: C, verb: GrantableVerb = 'send') =>
    async (caller: Caller, request: RequestOf<C>, { signal }: { signal: AbortSignal }) => {
      const record = authorise(view, caller, verb, request.target);
      using leave = orderLeave(caller, verb, request, signal);
      const message = sentBy(caller, localName, request);
      const owner = ownerOf(caller, orderTenant(record, caller.tenantId));
      return await orders.give(record, call, message, onBehalfOf(caller, localName), leave.signal, owner);
    };
  return {
    tailTerminal: async (caller, request, call, { signal }) => {
      const { id } = visibleHostOf(view, caller, request, 'watch');
      using leave = openLeave(options, caller, null, request, signal);
      const onward = { caller: onBehalfOf(caller, localName), signal: leave.signal, deadlineMs: 0 };
      await calls.stream(id, 'tailTerminal', request, onward, boundedWriter(call, 'the tail'));
    },
    explainAgent: async (caller, request, { signal }) => {
      const { id } = visibleHostOf(view, caller, request, 'watch');
      using leave = openLeave(options, caller, null, request, signal);
      const onward = { caller: onBehalfOf(caller, localName), signal: leave.signal, deadlineMs: ASK_DEADLINE_MS };
      return await calls.unary(id, 'explainAgent', request, onward);
    },
    getOrder: async (caller, { id }, { signal }) => {
      const entry = caller.grants === null ? index.find(id, caller.tenants) : index.get(ownerOf(caller, '').name, id);
      const record = entry && view.hostAgent(entry.hostAgent);
      const isKnown = entry !== undefined && (record === undefined || isVisible(caller, record));
      if (!isKnown) throw unknownOrder(id);
      const tenantId = record === undefined ? caller.tenantId : orderTenant(record, caller.tenantId);
      const owner = entry.peer === undefined ? tenantOwner(tenantId) : peerOwner(entry.peer);
      return await orders.look(id, entry, owner, onBehalfOf(caller, localName), signal);
    },
    listOrders: async (caller, request, { signal }) => {
      const { id } = visibleHost(view, caller, request.hostAgent);
      const onward = { caller: onBehalfOf(caller, localName), signal, deadlineMs: ASK_DEADLINE_MS };
      return await calls.unary(id, 'listOrders', request, onward);
    },
    getAuditHeads: async (caller, request, { signal }) => {
      const { id } = visibleHost(view, caller, request.hostAgent);
      const onward = { caller: onBehalfOf(caller, localName), signal, deadlineMs: ASK_DEADLINE_MS };
      return await calls.unary(id, 'getAuditHeads', request, onward);
    },
    sendText: order('sendText'),
    pressKeys: order('pressKeys'),
    answerPrompt: order('answerPrompt'),
    controlAgent: async (caller, request, { signal }) => {
      const record = controllable(view, caller, request);
      using leave = orderLeave(caller, leaveForAction(request.action), request, signal);
      const owner = ownerOf(caller, orderTenant(record, caller.tenantId));
      return await orders.give(record, 'controlAgent', request, onBehalfOf(caller, localName), leave.signal, owner);
    },
    holdTerminal: async (caller, request, call, { signal }) => {
      const { id } = authorise(view, caller, 'takeover', request.target);
      using leave = openLeave(options, caller, 'takeover', request.target ?? { hostAgent: id, key: '' }, signal);
      const onward = { caller: onBehalfOf(caller, localName), signal: leave.signal, deadlineMs: 0 };
      await calls.stream(id, 'holdTerminal', request, onward, boundedWriter(call, 'the takeover'));
    },
    typeKeys: async (caller, request, { signal }) => {
      const { id } = authorise(view, caller, 'takeover', request.target);
      using leave = orderLeave(caller, 'takeover', request, signal);
      const onward = { caller: onBehalfOf(caller, localName), signal: leave.signal, deadlineMs: ASK_DEADLINE_MS };
      return await calls.unary(id, 'typeKeys', request, onward);
    },
  };
};

/** What the audit says each was about: an agent, and of what was to be typed no more than its HMAC. */
export const dispatchTargets = (view: FleetView, mac: BodyMac): Targets<Fleet> => {
  type Targeted = { id: string; target?: { hostAgent: string; key: string } | undefined };
  const ofOrder = ({ id, target }: Targeted, caller: Caller, verb: GrantableVerb, body?: string): Subject =>
    agentSubject(view, target, {
      ...(body === undefined ? {} : { body: mac(body) }),
      ...namedOrder(id),
      ...refusedBy(() => authorise(view, caller, verb, target)),
    });
  return {
    watchTerminal: (request) => agentSubject(view, request),
    tailTerminal: (request) => agentSubject(view, request, { lasts: request.follow }),
    explainAgent: (request) => agentSubject(view, request),
    getOrder: ({ id }) => ({ target: `order ${id}`.slice(0, 256), ...namedOrder(id) }),
    listOrders: ({ hostAgent }) => hostSubject(view, hostAgent),
    getAuditHeads: ({ hostAgent }) => hostSubject(view, hostAgent),
    sendText: (request, caller) => ofOrder(request, caller, 'send', request.text),
    pressKeys: (request, caller) => ofOrder(request, caller, 'send', request.keys.join(' ')),
    answerPrompt: (request, caller) => ofOrder(request, caller, 'send', request.choice),
    controlAgent: (request, caller) =>
      agentSubject(view, request.target, {
        ...namedOrder(request.id),
        ...refusedBy(() => controllable(view, caller, request)),
      }),
    holdTerminal: (request, caller) => ofOrder(request, caller, 'takeover'),
  };
};

/** The host-agent that is to do it. Throws as `authorise` does. */
const controllable = (view: FleetView, caller: Caller, request: ControlAgentRequest): HostAgentRecord => {
  const { action, target } = request;
  if (caller.grants !== null) requireWithinGrant(request);
  // A roster that was put a moment ago may name it, though its host has told no row of it yet.
  return isDesiredVerb(action)
    ? deployableNow(view, caller, target?.hostAgent ?? '')
    : authorise(view, caller, leaveForAction(action), target);
};

/** What reaches beyond the agent that was granted, and beyond what runs there now, is granted to nobody. */
const requireWithinGrant = ({ action, force, migrate, purge }: ControlAgentRequest): void => {
  const beyond = isDesiredVerb(action) ? action : force ? 'force' : migrate ? 'migrate' : purge ? 'purge' : null;
  if (beyond === null) return;
  throw new FleetError('PERMISSION_DENIED', `not permitted: "${beyond}" is granted to no other cell`);
};

const MAX_ID_CHARACTERS = 128;

/** The same words for one that never was and for another tenant's. */
const unknownOrder = (id: string): FleetError => {
  const named = cleanText(id.slice(0, MAX_ID_CHARACTERS));
  return new FleetError(
    'NOT_FOUND',
    `no such order: ${named} (of all, the newest ${KEPT.toLocaleString('en')} are known)`,
  );
};
