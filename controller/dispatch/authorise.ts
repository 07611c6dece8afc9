/**
 * Whether a caller may do something to an agent: it must be visible; callers of a host act on their own host and user, and
 * elsewhere only within their ceiling; a peer by its grants alone.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { GrantVerb } from '../../src/domain/grant.ts';
import { holderUnitOf } from '../../src/domain/holder.ts';
import { isDesiredVerb } from '../../src/domain/order.ts';
import type { FleetView, HostAgentRecord } from '../../src/view/fleet-view.ts';
import { type Caller, GRANTABLE_VERBS, type GrantableVerb } from '../tenancy/caller.ts';
import { requireTakesOrders } from '../tenancy/quarantine.ts';
import { isFederated, visibleHost, visibleHostOf } from '../tenancy/visible.ts';

/** NOT_FOUND, PERMISSION_DENIED naming the one command that would allow it, or FAILED_PRECONDITION of a host in quarantine. */
export const authorise = (
  view: FleetView,
  caller: Caller,
  verb: GrantableVerb,
  target: { hostAgent: string; key: string } | undefined,
): HostAgentRecord => {
  // A holder is no row, and holds agents that no grant names.
  const isHolder = caller.grants === null && target !== undefined && holderUnitOf(target.key) !== null;
  const record = isHolder
    ? visibleHost(view, caller, target.hostAgent)
    : visibleHostOf(view, caller, target, grantOf(verb));
  requireLeave(caller, verb, record);
  requireTakesOrders(record, caller);
  return record;
};

/** Nothing that deploys is ever granted. */
const grantOf = (verb: GrantableVerb): GrantVerb => {
  if (verb === 'deploy')
    throw new FleetError('PERMISSION_DENIED', 'not permitted: deploying is granted to no other cell');
  return verb;
};

/** The host-agent itself: the caller may have it deploy, whichever agents it has, once it takes orders. */
export const deployable = (view: FleetView, caller: Caller, hostAgent: string): HostAgentRecord => {
  const record = visibleHost(view, caller, hostAgent);
  if (isFederated(record)) {
    throw new FleetError('PERMISSION_DENIED', `${record.id} is of cell ${record.cell}: to deploy is never granted`);
  }
  if (caller.grants !== null) grantOf('deploy');
  requireLeave(caller, 'deploy', record);
  return record;
};

/** It may, and the host-agent takes orders. Throws as `authorise` does. */
export const deployableNow = (view: FleetView, caller: Caller, hostAgent: string): HostAgentRecord => {
  const record = deployable(view, caller, hostAgent);
  requireTakesOrders(record, caller);
  return record;
};

/** What leave it takes to tell an agent this. */
export const leaveForAction = (action: string): GrantableVerb => (isDesiredVerb(action) ? 'deploy' : 'lifecycle');

/** PERMISSION_DENIED; of an agent that the caller sees. */
export const requireLeave = (
  caller: Caller,
  verb: GrantableVerb,
  record: Pick<HostAgentRecord, 'host' | 'user' | 'audience'>,
): void => {
  if (caller.kind !== 'host') return;
  // A peer may have a host and a user of the same names.
  const isOwn = caller.host === record.host && caller.user === record.user && !isFederated(record);
  if (isOwn || caller.ceiling.includes(verb)) return;
  // What is allowed replaces what was: the command says all of it.
  const wanted = GRANTABLE_VERBS.filter((each) => each === verb || caller.ceiling.includes(each)).join(' ');
  const from = `callers on ${caller.host} may not ${verb === 'takeover' ? 'take over' : verb} elsewhere`;
  throw new FleetError(
    'PERMISSION_DENIED',
    `${from}: an administrator allows it with "fleet host allow ${caller.host} ${wanted}"`,
  );
};
