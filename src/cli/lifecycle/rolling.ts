/**
 * Orders to many agents, each host for itself: so many at a time, and no further where too many did not come back. One
 * host that fails or hangs delays no other.
 */
import { orderEffect } from '../../domain/order.ts';
import { EXIT } from '../exit-codes.ts';
import type { OrderPlace } from '../orders/change-target.ts';
import type { Told } from './one-order.ts';

export interface Rolling {
  /** At a time on each host. */
  atOnce: number;
  /** So many that did not come back end it on their host; null: none does. */
  mostLost: number | null;
  give(agent: OrderPlace): Promise<Told>;
  /** For one that is not begun any more. */
  skip(agent: OrderPlace, reason: string): Told;
  /** As each is over. */
  onTold(told: Told): void;
}

/** In the order of `agents`. Rejects with the first rejection of `give`, when what runs is over. */
export const rollOut = async (agents: readonly OrderPlace[], rolling: Rolling): Promise<Told[]> => {
  const told = new Map<OrderPlace, Told>();
  const hosts = Map.groupBy(agents, ({ hostAgent }) => hostAgent);
  const ends = await Promise.allSettled([...hosts.values()].map((group) => rollHost(group, rolling, told)));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return agents.flatMap((agent) => told.get(agent) ?? []);
};

const rollHost = async (
  agents: readonly OrderPlace[],
  { atOnce, mostLost, give, skip, onTold }: Rolling,
  told: Map<OrderPlace, Told>,
): Promise<void> => {
  const queue = [...agents];
  const lost: OrderPlace[] = [];
  const work = async (): Promise<void> => {
    for (let agent = queue.shift(); agent !== undefined; agent = queue.shift()) {
      const isOver = mostLost !== null && lost.length >= mostLost;
      const names = lost.map(({ typed }) => typed).join(', ');
      const one = isOver ? skip(agent, `not begun: ${names} did not come back`) : await give(agent);
      // What was refused is as it was, and not away.
      if (!isOver && ['something', 'running'].includes(orderEffect(one.outcome.outcome))) lost.push(agent);
      told.set(agent, one);
      onTold(one);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(atOnce, agents.length) }, work));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
};

/** Of all together: as the one ended, or as all did; partial where only some had success. */
export const exitCodeOfAll = (told: readonly Told[]): number => {
  const codes = new Set(told.map(({ exitCode }) => exitCode));
  if (codes.size === 1) return [...codes][0] as number;
  return codes.has(EXIT.done) ? EXIT.partial : EXIT.failed;
};
