/**
 * The end of every command that changes what should exist: the plan is shown, what it ends is asked for, it is carried out,
 * and told. Nothing to do is said, too.
 */
import { cleanText } from '../../domain/clean-text.ts';
import type { DesiredPlan } from '../../domain/desired-plan.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { checkOrderId, orderId } from '../orders/order-id.ts';
import { LONGEST_INTENT, LONGEST_ORDER, spanMs } from '../orders/time-span.ts';
import { linesOf, writeAll } from '../output.ts';
import { jsonText } from '../render/json.ts';
import { painterFor } from '../render/paint.ts';
import { wholeNumber } from '../whole-number.ts';
import { askEndings } from './ask-endings.ts';
import { type CarryOut, carryOut, carryOutInTurn } from './carry-out.ts';
import type { StepTold } from './line.ts';
import type { Errand } from './place-work.ts';
import { rosterWords } from './place-work.ts';
import { isWhole, planObject } from './plan-json.ts';
import { planCounts, planLines } from './plan-lines.ts';
import { errandObject, exitCodeOfSteps, toldCounts } from './told-steps.ts';

export interface Change {
  cell: string;
  /** Path of the roster that is wanted. */
  roster: string;
  plan: DesiredPlan;
  errands: readonly Errand[];
  isCurrent(placeId: string): boolean;
  age(placeId: string): string | null;
  /** More words for the line that counts. */
  counted?: readonly string[];
  /** One errand after the other, and none after one that failed. */
  oneByOne?: boolean;
  migrate?: boolean;
  purge?: boolean;
  /** Asked in place of what it ends. */
  question?: string;
}

/** As its flags say it. Throws UsageError. */
const carryOutFlags = ({ flags }: CommandContext, cell: string): CarryOut => {
  const id = orderId(flags.id as string | undefined);
  // Room for what tells the steps apart.
  checkOrderId(`${id}.${'0'.repeat(12)}`);
  return {
    cell,
    id,
    timeoutMs: spanMs('timeout', (flags.timeout as string | undefined) ?? '2m', LONGEST_ORDER),
    maxUnavailable: wholeNumber('max-unavailable', (flags['max-unavailable'] as string | undefined) ?? '1'),
    expiresMs: spanMs('expires', (flags.expires as string | undefined) ?? '24h', LONGEST_INTENT),
    force: flags.force === true,
    migrate: false,
    purge: false,
  };
};

export const runChange = async (context: CommandContext, change: Change): Promise<number> => {
  const { flags, stderr, stdout } = context;
  const { cell, errands, plan, migrate = false, purge = false } = change;
  const how = { ...carryOutFlags(context, cell), migrate, purge };
  const whole = isWhole(plan, change.isCurrent);
  await showPlan(context, change);
  if (flags['dry-run']) {
    if (flags.output === 'json') stdout.write(`${jsonText(planned(change))}\n`);
    stderr.write('dry run: nothing was changed\n');
    return whole ? EXIT.done : EXIT.partial;
  }
  await askEndings(context, errands, change.question);
  if (errands.length > 0) stderr.write(`order ${how.id}\n`);
  const told = await (change.oneByOne ? carryOutInTurn : carryOut)(context, errands, how);
  return tellEnd(context, change, how.id, told);
};

const planned = ({ plan, cell, roster, isCurrent }: Change): Record<string, unknown> => ({
  ...(planObject(plan, { cell, roster, isCurrent }) as Record<string, unknown>),
  dry_run: true,
});

const showPlan = async ({ flags, env, stdout, stderr, signal }: CommandContext, change: Change): Promise<void> => {
  if (flags.output !== 'table') return;
  const { plan, errands, age, counted = [] } = change;
  const about = (placeId: string): string | null => {
    const errand = errands.find(({ place }) => place.id === placeId);
    return errand === undefined ? null : rosterWords(errand);
  };
  await writeAll(stdout, linesOf(planLines(plan, age, painterFor(stdout, env), about)), signal);
  stderr.write(`${cleanText([planCounts(plan), ...counted].join(' · '))}\n`);
};

const tellEnd = (
  { flags, stdout, stderr }: CommandContext,
  { plan, errands, cell, roster, isCurrent }: Change,
  id: string,
  toldBy: Map<Errand, StepTold[]>,
): number => {
  const told = [...toldBy.values()].flat();
  const whole = isWhole(plan, isCurrent);
  if (flags.output === 'json') {
    const hosts = [...toldBy].map(([errand, own]) => errandObject(errand, own));
    const { hosts: steps, unplaced } = planObject(plan, { cell, roster, isCurrent }) as Record<string, unknown>;
    const done = told.every(({ exitCode }) => exitCode === EXIT.done);
    stdout.write(
      `${jsonText({ schema: 'fleet.apply/v1', id, cell, roster, complete: whole && done, plan: steps, hosts, unplaced })}\n`,
    );
  }
  const words = errands.length === 0 ? 'nothing to do' : toldCounts(told);
  const open = told.some(({ exitCode }) => exitCode !== EXIT.done);
  if (flags.output === 'table')
    stderr.write(`${words}${open ? '; what is not done is planned again by the next fleet apply' : ''}\n`);
  return exitCodeOfSteps(told, whole);
};
