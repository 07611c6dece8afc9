/** What became of each agent, for people and for programs. Pure; words of a host are cleaned. */
import { cleanText } from '../../domain/clean-text.ts';
import type { LifecycleVerb } from '../../domain/order.ts';
import type { OrderPlace } from '../orders/change-target.ts';
import { outcomeLine, outcomeObject } from '../orders/outcome-text.ts';
import type { Told } from './one-order.ts';

export const toldLine = ({ agent, outcome }: Told): string => `${cleanText(agent.address)}  ${outcomeLine(outcome)}`;

/** `fleet.orders/v1`. */
export const toldObject = (verb: LifecycleVerb, told: readonly Told[]): Record<string, unknown> => ({
  schema: 'fleet.orders/v1',
  verb,
  orders: told.map(({ outcome }) => orderObject(outcome)),
});

export const orderObject = (outcome: Told['outcome']): Record<string, unknown> => {
  const { schema: _, ...order } = outcomeObject(outcome);
  return order;
};

/** What would be asked, and nothing more: only its host can say whether it would be done. */
export const plannedLine = (
  verb: LifecycleVerb,
  { address }: OrderPlace,
  readiness: string | null,
  hindrance: string | null,
): string => {
  const now = readiness === null ? '' : `: it is ${readiness}`;
  return cleanText(`${address}  ${hindrance === null ? `would ${verb}${now}` : `would be refused: ${hindrance}`}`);
};

export const plannedObject = (
  verb: LifecycleVerb,
  planned: readonly { agent: OrderPlace; hindrance: string | null }[],
): Record<string, unknown> => ({
  schema: 'fleet.orders/v1',
  verb,
  dry_run: true,
  orders: planned.map(({ agent, hindrance }) => ({
    id: null,
    address: agent.address,
    verb,
    outcome: hindrance === null ? 'planned' : 'refused',
    reason: hindrance,
  })),
});
