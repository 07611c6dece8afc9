/** What became of an order, for people and for programs. Pure; reasons come from a host and are cleaned. */
import { cleanText } from '../../domain/clean-text.ts';
import { isControlVerb, nothingWords, orderEffect, orderWords } from '../../domain/order.ts';
import type { OrderOutcome } from '../../wire/gen/fleet/v1/orders.ts';
import { isoTime } from '../render/iso-time.ts';

/** `blocked: it asks for approval; nothing was typed`: the order's own reason, else what such an outcome means. */
export const outcomeLine = ({ outcome, verb, reason, repeated }: OrderOutcome): string => {
  const nothing = nothingWords(verb);
  const isCertain = reason !== '' && orderEffect(outcome) === 'nothing' && !reason.includes(nothing);
  const words = [reason === '' ? orderWords(outcome, verb) : reason];
  if (isCertain) words.push(nothing);
  if (repeated) words.push(`it was given before, ${nothing} again`);
  return cleanText(`${outcome}: ${words.join('; ')}`);
};

/** Every field always there, null where unknown; stamps are the wall clock of the agent's host. */
export const outcomeObject = (outcome: OrderOutcome): Record<string, unknown> => ({
  schema: 'fleet.order/v1',
  id: outcome.id,
  address: orNull(outcome.address),
  verb: orNull(outcome.verb),
  outcome: outcome.outcome,
  reason: orNull(outcome.reason),
  actor: orNull(outcome.actor),
  began: isoTime(outcome.beganMs),
  ended: isoTime(outcome.endedMs),
  repeated: outcome.repeated,
});

const orNull = (text: string): string | null => (text === '' ? null : text);

/** What to do next, where something is open; null where nothing is. `fleet` and `agent` as a person types them. */
export const nextStep = ({ outcome, id, verb }: OrderOutcome, fleet: string, agent: string): string | null => {
  if (outcome === 'pending') return `ask after it: ${fleet} order ${id}`;
  // What was stopped has no screen.
  if (isControlVerb(verb)) return orderEffect(outcome) === 'something' ? `why: ${fleet} explain ${agent}` : null;
  if (outcome === 'unknown')
    return `look before you repeat it: ${fleet} watch ${agent}; ask after it: ${fleet} order ${id}`;
  if (outcome === 'blocked' || outcome === 'prompt-changed') return `what it asks now: ${fleet} explain ${agent}`;
  return orderEffect(outcome) === 'something' ? `look before you repeat it: ${fleet} watch ${agent}` : null;
};
