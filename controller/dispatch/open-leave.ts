/**
 * Leave for a call that stays open: judged again whenever hosts, ceilings or grants change, so that it lasts no longer than a
 * new call like it would be let in.
 */
import type { FleetView } from '../../src/view/fleet-view.ts';
import type { Records } from '../store/records.ts';
import type { Caller, GrantableVerb } from '../tenancy/caller.ts';
import { ceilingOf } from '../tenancy/ceilings.ts';
import { agentPlaceOf, GrantEnded } from '../tenancy/granted.ts';
import { requireTakesOrders } from '../tenancy/quarantine.ts';
import { isVisible, noSuchAgent } from '../tenancy/visible.ts';
import { requireLeave } from './authorise.ts';

export interface LeaveContext {
  view: Pick<FleetView, 'hostAgent' | 'rowsOf' | 'log'>;
  records: Records;
}

export interface OpenLeave extends Disposable {
  /** Aborts with the call's own signal, or with the refusal that a new call would get. */
  readonly signal: AbortSignal;
}

/** `verb` null for what needs no leave beyond seeing the agent; a peer needs its grant to watch it. */
export const openLeave = (
  { view, records }: LeaveContext,
  caller: Caller,
  verb: GrantableVerb | null,
  target: { hostAgent: string; key: string },
  signal: AbortSignal,
): OpenLeave => {
  const withdrawn = new AbortController();
  const judge = (): void => {
    try {
      requireGrants(view, caller, verb, target);
      const record = view.hostAgent(target.hostAgent);
      if (record === undefined || !isVisible(caller, record)) throw noSuchAgent();
      if (verb !== null) requireTakesOrders(record, caller);
      if (verb === null || caller.kind !== 'host') return;
      requireLeave({ ...caller, ceiling: ceilingOf(records, caller.host, caller.user) }, verb, record);
    } catch (refusal) {
      withdrawn.abort(refusal);
    }
  };
  using stack = new DisposableStack();
  stack.use(view.log.onChange(judge));
  stack.use(records.store.watch(records.ceilings.keyOf(''), judge));
  if (caller.grants !== null) stack.use(caller.grants.onChange(judge));
  // What it was let in by may have been taken away while that was written down.
  judge();
  const open = stack.move();
  return {
    signal: AbortSignal.any([signal, withdrawn.signal]),
    [Symbol.dispose]: () => open.dispose(),
  };
};

/** An agent that has no row has left by its host's word, which the host tells itself. */
const requireGrants = (
  view: LeaveContext['view'],
  { grants }: Caller,
  verb: GrantableVerb | null,
  { hostAgent, key }: { hostAgent: string; key: string },
): void => {
  const row = view.rowsOf(hostAgent).get(key);
  if (grants === null || row === undefined) return;
  const place = agentPlaceOf(row);
  if (place === null || verb === 'deploy') throw noSuchAgent();
  for (const needed of ['observe', verb ?? 'watch'] as const) {
    if (grants.now.allows(needed, place)) continue;
    const how = grants.endOf(needed, place);
    throw how === null ? noSuchAgent() : new GrantEnded(how);
  }
};
