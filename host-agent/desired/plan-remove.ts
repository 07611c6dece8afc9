/**
 * The steps that leave nothing of an agent that runs, or comes back at the next boot. What its operator wrote stays: units
 * and templates, drop-ins, and, unless purged, its env file and the records of its runs. Pure.
 */
import { OrderEnd } from '../command/order-end.ts';
import { isUp } from '../lifecycle/managed-agent.ts';
import type { RemoveFacts } from './remove-facts.ts';

export interface RemoveStep {
  is: 'stop' | 'end-session' | 'disable' | 'delete-unit' | 'end-holder' | 'reload' | 'forget' | 'purge';
}

/** Throws OrderEnd `refused` for what is not this fleet's to end. */
export const planRemove = (facts: RemoveFacts, { purge }: { purge: boolean }): RemoveStep[] => {
  const { unit, file, own, isDeclared, hasSession, hasLaunchFiles, hasRecords } = facts;
  const isOurs = own.kind === 'isolated' || own.kind === 'shared';
  const isLive = isUp(unit) || unit.activeState === 'deactivating';
  const isEnabled = file.state === 'enabled' || file.state === 'enabled-runtime';
  if (!isDeclared && !isOurs && (isLive || isEnabled))
    throw new OrderEnd('refused', `no roster of this host names it, and fleet did not write ${unit.name}`);
  return [
    ...(isLive ? [{ is: 'stop' } as const] : hasSession ? [{ is: 'end-session' } as const] : []),
    ...(isEnabled ? [{ is: 'disable' } as const] : []),
    ...(isOurs ? [{ is: 'delete-unit' } as const] : []),
    ...(own.kind === 'shared' ? [{ is: 'end-holder' } as const] : []),
    ...(isEnabled || isOurs ? [{ is: 'reload' } as const] : []),
    ...(hasLaunchFiles ? [{ is: 'forget' } as const] : []),
    ...(purge && hasRecords ? [{ is: 'purge' } as const] : []),
  ];
};
