/**
 * `fleet doctor --fix`: shows each change of this machine, asks, makes them, tells what became of each, and looks again.
 * Local only, as this user; never stops, starts or restarts an agent.
 */
import { createInterface } from 'node:readline/promises';
import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import type { Finding } from '../../wire/gen/fleet/v1/view.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { exclusively } from '../install/exclusive.ts';
import { waitUntil } from '../install/wait-until.ts';
import { jsonText } from '../render/json.ts';
import { painterFor } from '../render/paint.ts';
import { UsageError } from '../usage-error.ts';
import { type Findings, findingsHere } from './ask-findings.ts';
import { anyFailed, findingLines, findingObject } from './finding-text.ts';
import { elsewhere } from './fix-elsewhere.ts';
import { type Made, makeChange } from './make-change.ts';
import { type Change, type Plan, planChanges } from './plan-changes.ts';

/** The host-agent follows what changed within a moment. */
const SEEN_WITHIN_MS = 5_000;

type Told = Change & { outcome: Made['outcome'] | 'skipped' | 'would'; reason: string | null };

export const fixHere = async (context: CommandContext, host: string): Promise<number> => {
  const { paths, flags, stderr, signal } = context;
  await elsewhere(context, host);
  const before = await findingsHere(paths, signal);
  const plan = planChanges(before.findings, paths);
  const meant = sessionsMeant(context, plan);
  const wanted = plan.changes.filter((change) => change.kind !== 'end-session' || meant.has(change.target));
  const left = plan.changes.filter((change) => !wanted.includes(change));
  show(context, wanted, plan.byHand);
  if (flags['dry-run']) {
    const told = plan.changes.map((change) => ({ ...change, outcome: 'would' as const, reason: null }));
    for (const { target } of left) stderr.write(`would end ${target} only with --end, or when asked\n`);
    stderr.write('dry run: nothing was changed\n');
    return report(context, told, plan.byHand, before);
  }
  if (wanted.length > 0) await ask(context, wanted.length);
  const told = await exclusively(paths, async () => {
    const made: Told[] = [];
    for (const change of wanted) made.push(await makeOne(context, change));
    for (const change of left) {
      if (await askForOne(context, change)) made.push(await makeOne(context, change));
      else made.push(tell(context, { ...change, outcome: 'skipped', reason: `only with --end '${change.target}'` }));
    }
    return made;
  });
  return report(context, told, plan.byHand, await lookAgain(context, told));
};

/** Throws NOT_FOUND before anything is changed. */
const sessionsMeant = ({ flags }: CommandContext, { changes }: Plan): Set<string> => {
  const named = Array.isArray(flags.end) ? flags.end : [];
  for (const id of named) {
    if (changes.some(({ kind, target }) => kind === 'end-session' && target === id)) continue;
    throw new FleetError('NOT_FOUND', `no left-over session ${cleanText(id)} that may be ended: see fleet doctor`);
  }
  return new Set(named);
};

const show = ({ stderr }: CommandContext, wanted: readonly Change[], byHand: readonly Finding[]): void => {
  for (const { check, command } of wanted) stderr.write(`${cleanText(`${check}: ${command}`)}\n`);
  if (wanted.length === 0) stderr.write('nothing here that a program could mend\n');
  for (const { check, what, mend = '' } of byHand)
    stderr.write(`${cleanText(`by hand: ${check}: ${what}; ${mend}`)}\n`);
};

const changesWords = (count: number): string => `${count} change${count === 1 ? '' : 's'}`;

const ask = async (context: CommandContext, count: number): Promise<void> => {
  const { flags, stdin } = context;
  if (flags.yes) return;
  const question = `make ${count === 1 ? 'this change' : `these ${changesWords(count)}`}?`;
  if (!stdin.isTTY) throw new UsageError(`${question} Not on a terminal: add --yes`);
  if (!(await isYes(context, question))) throw new FleetError('ABORTED', 'nothing was changed');
};

/** What ends something is asked for by itself, and never included in another yes. */
const askForOne = async (context: CommandContext, { session, target }: Change): Promise<boolean> => {
  if (!context.stdin.isTTY || context.flags.yes) return false;
  return await isYes(context, `end the left-over session ${session?.name ?? ''} (${target})?`);
};

const isYes = async ({ stdin, stderr, signal }: CommandContext, question: string): Promise<boolean> => {
  using lines = createInterface({ input: stdin, output: stderr });
  return /^y(es)?$/i.test((await lines.question(`${cleanText(question)} [y/N] `, { signal })).trim());
};

const makeOne = async (context: CommandContext, change: Change): Promise<Told> => {
  context.signal.throwIfAborted();
  return tell(context, { ...change, ...(await makeChange(change, context.paths)) });
};

const MARKS = { done: 'ok  ', unchanged: '=   ', failed: 'FAIL', skipped: '-   ', would: '?   ' } as const;

const tell = ({ stderr }: CommandContext, told: Told): Told => {
  const why = told.reason === null ? '' : `: ${told.reason}`;
  stderr.write(`${MARKS[told.outcome]}  ${cleanText(`${told.command}${why}`)}\n`);
  return told;
};

/** Until what was done is not found any more; what is found after that is what is so. */
const lookAgain = async (context: CommandContext, told: readonly Told[]): Promise<Findings> => {
  const { paths, signal } = context;
  const done = new Set(
    told.filter(({ outcome }) => outcome === 'done').map(({ kind, target }) => `${kind}\n${target}`),
  );
  let last = await findingsHere(paths, signal);
  const isSeen = (): boolean =>
    !planChanges(last.findings, paths).changes.some(({ kind, target }) => done.has(`${kind}\n${target}`));
  if (isSeen()) return last;
  await waitUntil(
    'its host-agent did not see the changes',
    async () => {
      last = await findingsHere(paths, signal);
      return isSeen() ? true : null;
    },
    { timeoutMs: SEEN_WITHIN_MS, signal },
  ).catch(() => signal.throwIfAborted());
  return last;
};

const report = (
  { flags, stdout, env }: CommandContext,
  told: readonly Told[],
  byHand: readonly Finding[],
  { answered, findings }: Findings,
): number => {
  if (flags.output === 'json') {
    const fixes = told.map(({ check, kind, target, command, outcome, reason }) => ({
      check,
      fix: kind,
      target,
      command,
      outcome,
      reason,
    }));
    const document = { fixes, by_hand: byHand.map(findingObject), findings: findings.map(findingObject) };
    stdout.write(`${jsonText({ schema: 'fleet.fixes/v1', ...document })}\n`);
  } else stdout.write(findingLines(findings, painterFor(stdout, env)).join(''));
  if (!answered) return EXIT.unreachable;
  return told.some(({ outcome }) => outcome === 'failed') || anyFailed(findings) ? EXIT.failed : EXIT.done;
};
