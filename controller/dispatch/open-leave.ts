/**
 * Leave for a call that stays open: judged again whenever hosts or ceilings change, so that it lasts no longer than a new
 * call like it would be let in.
 */
import type { FleetView } from '../../src/view/fleet-view.ts';
import type { Records } from '../store/records.ts';
import type { Caller, GrantableVerb } from '../tenancy/caller.ts';
import { ceilingOf } from '../tenancy/ceilings.ts';
import { requireTakesOrders } from '../tenancy/quarantine.ts';
import { isVisible, noSuchAgent } from '../tenancy/visible.ts';
import { requireLeave } from './authorise.ts';

export interface LeaveContext {
  view: Pick<FleetView, 'hostAgent' | 'log'>;
  records: Records;
}

export interface OpenLeave extends Disposable {
  /** Aborts with the call's own signal, or with the refusal that a new call would get. */
  readonly signal: AbortSignal;
}

/** `verb` null for what needs no leave beyond seeing the agent. */
export const openLeave = (
  { view, records }: LeaveContext,
  caller: Caller,
  verb: GrantableVerb | null,
  hostAgent: string,
  signal: AbortSignal,
): OpenLeave => {
  const withdrawn = new AbortController();
  const judge = (): void => {
    try {
      const record = view.hostAgent(hostAgent);
      if (record === undefined || !isVisible(caller, record)) throw noSuchAgent();
      if (verb !== null) requireTakesOrders(record);
      if (verb === null || caller.kind !== 'host') return;
      requireLeave({ ...caller, ceiling: ceilingOf(records, caller.host, caller.user) }, verb, record);
    } catch (refusal) {
      withdrawn.abort(refusal);
    }
  };
  using stack = new DisposableStack();
  stack.use(view.log.onChange(judge));
  stack.use(records.store.watch(records.ceilings.keyOf(''), judge));
  const open = stack.move();
  return {
    signal: AbortSignal.any([signal, withdrawn.signal]),
    [Symbol.dispose]: () => open.dispose(),
  };
};
