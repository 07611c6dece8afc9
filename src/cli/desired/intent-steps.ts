/** The work of a place that is away, as its controller will give it: in the same order, with the same ids. */
import type { PlanStep } from '../../domain/desired-plan.ts';
import { rosterDigest } from '../../roster/digest.ts';
import type { IntentStep } from '../../wire/gen/fleet/v1/intent.ts';
import type { PlaceLine } from './line.ts';
import type { PlaceWork } from './place-work.ts';

export interface IntentOptions {
  force: boolean;
  migrate: boolean;
  purge: boolean;
  idOf(...parts: string[]): string;
}

export const intentSteps = (
  { removes, deploys, put, held }: PlaceWork,
  line: PlaceLine,
  { idOf, force, migrate, purge }: IntentOptions,
): IntentStep[] => {
  const digest = put === null ? held.digest : rosterDigest(put);
  const order = (verb: 'deploy' | 'remove', { agent }: PlanStep, seen: string): IntentStep => {
    const id = idOf(verb, agent, seen);
    return { controlAgent: line.agentRequest({ id, verb, agent, rosterDigest: seen, force, migrate, purge }) };
  };
  const roster = (text: string): IntentStep => {
    const id = idOf('roster', digest, held.digest);
    return { putRoster: line.rosterRequest({ id, text, expectedDigest: held.digest, force }) };
  };
  return [
    ...removes.map((step) => order('remove', step, held.digest)),
    ...(put === null ? [] : [roster(put)]),
    ...deploys.map((step) => order('deploy', step, digest)),
  ];
};
