/**
 * What becomes of an order to an agent, as a closed set: how far it went, and with which code a command about it ends.
 * Pure; who runs orders and who shows them share it.
 */
import type { Open } from './agent-row.ts';
import { FleetError } from './errors.ts';

/** What an id of an order looks like. */
export const ORDER_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/** What makes an agent what the roster says, and what takes away all that was made for it. */
export const DESIRED_VERBS = ['deploy', 'remove'] as const;
export type DesiredVerb = (typeof DESIRED_VERBS)[number];
export const LIFECYCLE_VERBS = ['start', 'stop', 'restart', 'reset'] as const;
export type LifecycleVerb = (typeof LIFECYCLE_VERBS)[number];
/** roster: replaces the roster of a host. */
const ORDER_VERBS = ['send', 'keys', 'answer', ...LIFECYCLE_VERBS, ...DESIRED_VERBS, 'roster'] as const;
export type OrderVerb = (typeof ORDER_VERBS)[number];

export const isDesiredVerb = (verb: string): verb is DesiredVerb => (DESIRED_VERBS as readonly string[]).includes(verb);

export const isLifecycleVerb = (verb: string): verb is LifecycleVerb =>
  (LIFECYCLE_VERBS as readonly string[]).includes(verb);

/** What is told by `ControlAgent`: it goes to an agent, not to its pane, and types nothing. */
export type ControlVerb = LifecycleVerb | DesiredVerb;

export const isControlVerb = (verb: string): verb is ControlVerb => isLifecycleVerb(verb) || isDesiredVerb(verb);

/** Throws INVALID_ARGUMENT for what is none. */
export const controlVerb = (action: string): ControlVerb => {
  if (isControlVerb(action)) return action;
  throw new FleetError(
    'INVALID_ARGUMENT',
    `an agent can be told to ${[...LIFECYCLE_VERBS, ...DESIRED_VERBS].join(', ')}, not ${JSON.stringify(action)}`,
  );
};

export const ORDER_OUTCOMES = [
  'accepted',
  'queued-by-agent',
  'draft',
  'unverifiable',
  'blocked',
  'busy',
  'human-draft',
  'not-a-runtime',
  'gone',
  'prompt-changed',
  'refused',
  'done',
  'failed',
  'pending',
  'unknown',
] as const;
export type OrderOutcomeName = (typeof ORDER_OUTCOMES)[number];

/**
 * How far it went. proven: done, and seen to be. nothing: no key was typed, so it may be given again. something: keys may
 * have been typed, so it must not be repeated unseen. running: it is not yet known.
 */
export type OrderEffect = 'proven' | 'nothing' | 'something' | 'running';

interface OutcomeFacts {
  effect: OrderEffect;
  /** PRODUCT.md, "Exit codes". */
  exitCode: number;
  /** What it means, to follow the outcome's name. */
  words: string;
}

const OUTCOMES: Record<OrderOutcomeName, OutcomeFacts> = {
  accepted: { effect: 'proven', exitCode: 0, words: 'the agent took the message' },
  'queued-by-agent': { effect: 'proven', exitCode: 0, words: 'the agent is busy and keeps the message for later' },
  done: { effect: 'proven', exitCode: 0, words: 'typed' },
  draft: { effect: 'something', exitCode: 1, words: 'typed, but it still stands unsubmitted before the agent' },
  unverifiable: { effect: 'something', exitCode: 1, words: 'typed, but nothing proves that the agent took it' },
  failed: { effect: 'something', exitCode: 1, words: 'it failed while it was typed' },
  unknown: { effect: 'something', exitCode: 1, words: 'it is not known how far it went' },
  blocked: { effect: 'nothing', exitCode: 8, words: 'the agent waits for a person; nothing was typed' },
  busy: { effect: 'nothing', exitCode: 8, words: 'somebody or something else has the pane; nothing was typed' },
  'human-draft': { effect: 'nothing', exitCode: 8, words: 'a person’s draft stands there; nothing was typed' },
  'not-a-runtime': { effect: 'nothing', exitCode: 8, words: 'no known agent runs in front; nothing was typed' },
  'prompt-changed': { effect: 'nothing', exitCode: 8, words: 'the prompt is another by now; nothing was typed' },
  refused: { effect: 'nothing', exitCode: 8, words: 'refused; nothing was typed' },
  gone: { effect: 'nothing', exitCode: 4, words: 'that agent is gone, or another one by now; nothing was typed' },
  pending: { effect: 'running', exitCode: 7, words: 'not over yet' },
};

const isOutcome = (outcome: string): outcome is OrderOutcomeName => Object.hasOwn(OUTCOMES, outcome);

/** What a newer host says and we do not know may have typed anything. */
export const orderEffect = (outcome: Open<OrderOutcomeName>): OrderEffect =>
  isOutcome(outcome) ? OUTCOMES[outcome].effect : 'something';

/** Exit code of a command that gave this order, or asked after it. */
export const orderExitCode = (outcome: Open<OrderOutcomeName>): number =>
  isOutcome(outcome) ? OUTCOMES[outcome].exitCode : 1;

/** Where nothing is typed but an agent or a roster is changed, the same outcome means this. */
const CONTROL_WORDS: Partial<Record<OrderOutcomeName, string>> = {
  done: 'seen to be so',
  unverifiable: 'done, but nothing proves that the agent works',
  failed: 'it failed',
  busy: 'somebody or something else has the agent; nothing was changed',
  refused: 'refused; nothing was changed',
  gone: 'that agent is gone; nothing was changed',
};

/** A few words for people, where the order's own reason is empty. */
export const orderWords = (outcome: Open<OrderOutcomeName>, verb = ''): string => {
  if (!isOutcome(outcome)) return 'an outcome that this version does not know';
  if (verb === 'roster' && outcome === 'done') return 'written';
  return (typesNothing(verb) ? CONTROL_WORDS[outcome] : undefined) ?? OUTCOMES[outcome].words;
};

/** It changes an agent or a roster, and no key is typed for it. */
export const typesNothing = (verb: string): boolean => isControlVerb(verb) || verb === 'roster';

/** What did not happen where an order had no effect. */
export const nothingWords = (verb: string): string =>
  typesNothing(verb) ? 'nothing was changed' : 'nothing was typed';
