/** What became of an apply, for programs, and the exit code of the whole. Pure. */
import { formatAddress, formatHostAddress } from '../../domain/address.ts';
import { EXIT } from '../exit-codes.ts';
import { outcomeObject } from '../orders/outcome-text.ts';
import { refusedOutcome } from '../orders/refused-outcome.ts';
import type { StepTold } from './line.ts';
import type { Errand, RefusedWork } from './place-work.ts';

export const orderOf = ({ outcome }: StepTold): Record<string, unknown> => {
  const { schema: _, ...order } = outcomeObject(outcome);
  return order;
};

/** Where nothing is begun, each step says why; one line for a place that has no step but its roster. */
export const refusedSteps = ({ place, steps, reason, exitCode }: RefusedWork, cell: string): StepTold[] => {
  const { host, user } = place;
  const told = (agent: string | null, verb: StepTold['verb']): StepTold => {
    const address =
      agent === null ? formatHostAddress({ cell, host, user }) : formatAddress({ cell, host, user, agent });
    return { agent, address, verb, exitCode, outcome: refusedOutcome({ verb, address }, reason) };
  };
  if (steps.length === 0) return [told(null, 'roster')];
  return steps.map(({ agent, action }) => told(agent, action === 'remove' ? 'remove' : 'deploy'));
};

/** As all ended, where they ended alike; partial where some had success, or not everything has its place. */
export const exitCodeOfSteps = (told: readonly StepTold[], isWhole: boolean): number => {
  const codes = new Set(told.map(({ exitCode }) => exitCode));
  if (codes.size === 0 || (codes.size === 1 && codes.has(EXIT.done))) return isWhole ? EXIT.done : EXIT.partial;
  if (codes.has(EXIT.done)) return EXIT.partial;
  return codes.size === 1 ? ([...codes][0] as number) : EXIT.failed;
};

/** `5 done, 1 failed` */
export const toldCounts = (told: readonly StepTold[]): string =>
  [...Map.groupBy(told, ({ outcome }) => outcome.outcome)].map(([name, { length }]) => `${length} ${name}`).join(', ');

export const errandObject = (errand: Errand, told: readonly StepTold[]): Record<string, unknown> => {
  const { host, user, here } = errand.place;
  const held = errand.kind === 'work' ? errand.held : null;
  return {
    host,
    user,
    here,
    roster: held === null ? null : { path: held.path, replaced: errand.kind === 'work' && errand.put !== null },
    orders: told.map(orderOf),
  };
};
