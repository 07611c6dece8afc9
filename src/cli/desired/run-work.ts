/**
 * Carries out the work of one (host, user): ends, roster, launches. A step that fails stops its agent only: one that could
 * not be removed stays in the roster, so that the next apply finds it there. Without the roster nothing is launched.
 */
import type { PlanStep } from '../../domain/desired-plan.ts';
import { orderEffect } from '../../domain/order.ts';
import { rosterDigest } from '../../roster/digest.ts';
import { keptEntries } from '../../roster/edit/kept-entries.ts';
import { EXIT } from '../exit-codes.ts';
import { isAgentOf } from './held-places.ts';
import type { PlaceLine, StepTold } from './line.ts';
import type { PlaceWork } from './place-work.ts';

/** Ends, and launches that take nothing away. */
const AT_ONCE = 8;

export interface WorkOptions {
  line: PlaceLine;
  /** Restarts at a time; as many that do not come back end them here. */
  maxUnavailable: number;
  force: boolean;
  migrate: boolean;
  purge: boolean;
  /** The same for the same step of the same apply. */
  idOf(...parts: string[]): string;
  /** As each is over. */
  onTold(told: StepTold): void;
}

export const runWork = async (work: PlaceWork, options: WorkOptions): Promise<StepTold[]> => {
  const { line, onTold, idOf } = options;
  const told: StepTold[] = [];
  const keep = (one: StepTold): StepTold => {
    told.push(one);
    onTold(one);
    return one;
  };
  const give = async (step: PlanStep, verb: 'deploy' | 'remove', digest: string): Promise<StepTold> => {
    const { force, migrate, purge } = options;
    const order = { agent: step.agent, verb, rosterDigest: digest, force, migrate, purge };
    return keep(await line.control({ ...order, id: idOf(verb, step.agent, digest) }));
  };

  const stayed: string[] = [];
  await pool(work.removes, AT_ONCE, async (step) => {
    if ((await give(step, 'remove', work.held.digest)).exitCode !== EXIT.done) stayed.push(step.agent);
  });
  // Nothing but what stays would be taken out of it.
  const isVain = stayed.length > 0 && stayed.length === work.removes.length && work.deploys.length === 0;
  const digest = isVain ? work.held.digest : await putDigest(work, stayed, options, keep);
  if (digest === null) {
    for (const { agent } of work.deploys) keep(line.skipped(agent, 'deploy', 'not begun: the roster was not written'));
    return told;
  }
  const restarts = work.deploys.filter(({ launch }) => launch === 'restart');
  await pool(
    work.deploys.filter((step) => !restarts.includes(step)),
    AT_ONCE,
    (step) => give(step, 'deploy', digest),
  );
  const away: string[] = [];
  await pool(restarts, options.maxUnavailable, async (step) => {
    if (away.length >= options.maxUnavailable) {
      keep(line.skipped(step.agent, 'deploy', `not begun: ${away.join(', ')} did not come back`));
      return;
    }
    const { outcome } = await give(step, 'deploy', digest);
    // What was refused is as it was, and not away.
    if (['something', 'running'].includes(orderEffect(outcome.outcome))) away.push(step.agent);
  });
  return told;
};

/** Of the roster that is in force then; null where it could not be written. */
const putDigest = async (
  { put, held, place, force }: PlaceWork,
  stayed: readonly string[],
  { line, idOf }: WorkOptions,
  keep: (told: StepTold) => StepTold,
): Promise<string | null> => {
  if (put === null) return held.digest;
  const theirs = (held.agents ?? []).flatMap((agent, index) =>
    stayed.includes(agent.name) && isAgentOf(agent, place) ? [index] : [],
  );
  const text = theirs.length === 0 || held.text === null ? put : keptEntries(put, held.text, theirs);
  const digest = rosterDigest(text);
  // What could not be read was not seen: its host keeps it beside the new one.
  const expectedDigest = held.problem !== null && force ? '' : held.digest;
  const { exitCode } = keep(await line.put({ id: idOf('roster', digest, held.digest), text, expectedDigest, force }));
  return exitCode === EXIT.done ? digest : null;
};

/** Rejects with the first rejection, when what runs is over. */
const pool = async <T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<unknown>): Promise<void> => {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  const ends = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
};
