/** A plan for programs: every step of every host in scope, what is kept too. */
import { formatAddress } from '../../domain/address.ts';
import { type DesiredPlan, isAsDesired } from '../../domain/desired-plan.ts';

export interface PlanContext {
  cell: string;
  /** Path of the roster. */
  roster: string;
  /** Whether what is known of a place is of now. */
  isCurrent(placeId: string): boolean;
}

export const planObject = (plan: DesiredPlan, { cell, roster, isCurrent }: PlanContext): unknown => ({
  schema: 'fleet.plan/v1',
  cell,
  roster,
  same: isAsDesired(plan),
  complete: isWhole(plan, isCurrent),
  hosts: plan.places.map(({ place: { id, host, user, here }, steps }) => ({
    host,
    user,
    here,
    current: isCurrent(id),
    steps: steps.map(({ agent, ...step }) => ({ agent, address: formatAddress({ cell, host, user, agent }), ...step })),
  })),
  unplaced: plan.unplaced,
});

/** Every entry has its place, and every place in scope was asked now. */
export const isWhole = ({ places, unplaced }: DesiredPlan, isCurrent: (placeId: string) => boolean): boolean =>
  unplaced.length === 0 && places.every(({ place }) => isCurrent(place.id));
