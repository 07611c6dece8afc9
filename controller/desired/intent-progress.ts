/** How far an intent went, by the outcomes of its steps. */
import { ORDER_OUTCOMES, orderEffect } from '../../src/domain/order.ts';
import type { IntentRecord, IntentStepRecord } from '../store/records.ts';

/** What became of a step. */
export type Told = Pick<IntentStepRecord, 'outcome' | 'reason' | 'endedMs'>;

const isWell = ({ outcome }: Told): boolean => orderEffect(outcome) === 'proven';

/** A step that did not end well skips what follows for its agent, and nothing else. */
export const isSkipped = ({ steps }: IntentRecord, { key }: IntentStepRecord): boolean =>
  key !== '' && steps.some((step) => step.key === key && step.outcome !== '' && !isWell(step));

/** Why the roster must not be written: nobody would remove an agent that it does not name any more. null: it may be. */
export const notRemoved = ({ steps }: IntentRecord): string | null => {
  const index = steps.findIndex((step) => step.verb === 'remove' && step.outcome !== '' && !isWell(step));
  const outcome = steps[index]?.outcome;
  return outcome === undefined
    ? null
    : `step ${index + 1}, a removal, ended ${keptOutcome(outcome)}: its agent stays in the roster`;
};

/** Of one that went to its end; empty where all is well. */
export const shortcomings = ({ steps }: IntentRecord): string => {
  const failed = steps.filter((step) => !isWell(step)).length;
  return failed === 0 ? '' : `${failed} of ${steps.length} steps did not end well`;
};

/** Of one whose time is over. */
export const progress = ({ steps }: IntentRecord): string =>
  `${steps.filter(({ outcome }) => outcome !== '').length} of ${steps.length} steps were given in its time`;

/** For the log and the audit, where no word of a host stands. */
export const keptOutcome = (outcome: string): string =>
  (ORDER_OUTCOMES as readonly string[]).includes(outcome) ? outcome : 'in another way';
