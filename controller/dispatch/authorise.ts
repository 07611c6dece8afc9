/**
 * Whether a caller may do something to an agent: it must be visible; callers of a host act on their own host and user, and
 * elsewhere only within their ceiling.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { holderUnitOf } from '../../src/domain/holder.ts';
import { isDesiredVerb } from '../../src/domain/order.ts';
import type { FleetView, HostAgentRecord } from '../../src/view/fleet-view.ts';
import { type Caller, GRANTABLE_VERBS, type GrantableVerb } from '../tenancy/caller.ts';
import { requireTakesOrders } from '../tenancy/quarantine.ts';
import { visibleHost, visibleHostOf } from '../tenancy/visible.ts';

/** NOT_FOUND, PERMISSION_DENIED naming the one command that would allow it, or FAILED_PRECONDITION of a host in quarantine. */
export const authorise = (
  view: FleetView,
  caller: Caller,
  verb: GrantableVerb,
  target: { hostAgent: string; key: string } | undefined,
): HostAgentRecord => {
  // A holder is no row.
  const isHolder = target !== undefined && holderUnitOf(target.key) !== null;
  const record = isHolder ? visibleHost(view, caller, target.hostAgent) : visibleHostOf(view, caller, target);
  requireLeave(caller, verb, record);
  requireTakesOrders(record);
  return record;
};

/** The host-agent itself: the caller may have it deploy, whichever agents it has, once it takes orders. */
export const deployable = (view: FleetView, caller: Caller, hostAgent: string): HostAgentRecord => {
  const record = visibleHost(view, caller, hostAgent);
  requireLeave(caller, 'deploy', record);
  return record;
};

/** It may, and the host-agent takes orders. Throws as `authorise` does. */
export const deployableNow = (view: FleetView, caller: Caller, hostAgent: string): HostAgentRecord => {
  const record = deployable(view, caller, hostAgent);
  requireTakesOrders(record);
  return record;
};

/** What leave it takes to tell an agent this. */
export const leaveForAction = (action: string): GrantableVerb => (isDesiredVerb(action) ? 'deploy' : 'lifecycle');

/** PERMISSION_DENIED; of an agent that the caller sees. */
export const requireLeave = (
  caller: Caller,
  verb: GrantableVerb,
  record: Pick<HostAgentRecord, 'host' | 'user'>,
): void => {
  if (caller.kind !== 'host') return;
  const isOwn = caller.host === record.host && caller.user === record.user;
  if (isOwn || caller.ceiling.includes(verb)) return;
  // What is allowed replaces what was: the command says all of it.
  const wanted = GRANTABLE_VERBS.filter((each) => each === verb || caller.ceiling.includes(each)).join(' ');
  const from = `callers on ${caller.host} may not ${verb === 'takeover' ? 'take over' : verb} elsewhere`;
  throw new FleetError(
    'PERMISSION_DENIED',
    `${from}: an administrator allows it with "fleet host allow ${caller.host} ${wanted}"`,
  );
};
