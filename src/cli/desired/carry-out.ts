/** Gives the orders of all places at once, each place for itself, and tells each outcome as it comes. */
import { createHash } from 'node:crypto';
import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import { lineDiff } from '../../roster/line-diff.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { checkOrderId } from '../orders/order-id.ts';
import { orderLine } from '../orders/order-line.ts';
import { outcomeLine } from '../orders/outcome-text.ts';
import { fleetWords } from '../orders/shell-word.ts';
import { jsonText } from '../render/json.ts';
import { askRosters } from './held-rosters.ts';
import { intentSteps } from './intent-steps.ts';
import { PlaceLine, type StepTold } from './line.ts';
import type { Errand, PlaceWork } from './place-work.ts';
import { runWork } from './run-work.ts';
import { orderOf, refusedSteps } from './told-steps.ts';

export interface CarryOut {
  cell: string;
  /** Of the whole; each step's id is made from it. */
  id: string;
  timeoutMs: number;
  maxUnavailable: number;
  /** How long a host that is away may take to come back. */
  expiresMs: number;
  force: boolean;
  migrate: boolean;
  purge: boolean;
}

/** By errand, in their order. Rejects only when the person left. */
export const carryOut = async (
  context: CommandContext,
  errands: readonly Errand[],
  how: CarryOut,
): Promise<Map<Errand, StepTold[]>> => {
  const ends = await Promise.allSettled(
    errands.map(async (errand): Promise<[Errand, StepTold[]]> => {
      if (errand.kind === 'work') return [errand, await workAt(context, errand, how)];
      const told = refusedSteps(errand, how.cell);
      for (const one of told) tell(context, one);
      return [errand, told];
    }),
  );
  const told = new Map<Errand, StepTold[]>();
  for (const end of ends) {
    if (end.status === 'rejected') throw end.reason;
    told.set(...end.value);
  }
  return told;
};

/** One after the other; after one that failed no other is begun. One that was refused from the start hinders none. */
export const carryOutInTurn: typeof carryOut = async (context, errands, how) => {
  const told = new Map<Errand, StepTold[]>();
  for (const errand of errands) {
    const isOver = [...told].some(
      ([{ kind }, steps]) => kind === 'work' && steps.some(({ exitCode }) => exitCode !== EXIT.done),
    );
    const next: Errand = isOver && errand.kind === 'work' ? notBegun(errand) : errand;
    for (const [, own] of await carryOut(context, [next], how)) told.set(errand, own);
  }
  return told;
};

const notBegun = ({ place, deploys, removes }: PlaceWork): Errand => ({
  kind: 'refused',
  place,
  steps: [...removes, ...deploys],
  reason: 'not begun: the one before did not end well',
  exitCode: EXIT.refused,
});

const workAt = async (context: CommandContext, work: PlaceWork, how: CarryOut): Promise<StepTold[]> => {
  const { paths, stderr, signal } = context;
  const { place } = work;
  using channel = await orderLine(paths, { here: place.here, cell: how.cell }, signal);
  const line = new PlaceLine({
    channel,
    cell: how.cell,
    place,
    timeoutMs: how.timeoutMs,
    signal,
    onLost: (address, id, why) =>
      stderr.write(`${cleanText(`${address}: ${why}; asking what became of order ${id}`)}\n`),
  });
  const idOf = (...parts: string[]): string => stepId(how.id, [place.id, ...parts]);
  try {
    if (work.away !== null) {
      const waiting = await line.leave(idOf('intent'), intentSteps(work, line, { ...how, idOf }), how.expiresMs);
      for (const one of waiting) tell(context, one);
      return waiting;
    }
    const told = await runWork(work, { ...how, line, idOf, onTold: (one) => tell(context, one) });
    if (told.some(({ verb, exitCode }) => verb === 'roster' && exitCode === EXIT.refused))
      await tellOther(context, work, how);
    return told;
  } catch (error) {
    if (signal.aborted) stderr.write(`left; an order may go on: the same command with --id ${how.id} tells\n`);
    throw error;
  }
};

/** The same for the same step of the same command. */
const stepId = (id: string, parts: readonly string[]): string =>
  checkOrderId(`${id}.${createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 12)}`);

const tell = ({ flags, stdout }: CommandContext, told: StepTold): void => {
  if (flags.output === 'ndjson') stdout.write(`${jsonText(orderOf(told))}\n`);
  else if (flags.output === 'table')
    stdout.write(`${cleanText(told.address)}  ${told.verb} ${outcomeLine(told.outcome)}\n`);
};

/** What stands in the roster that lies there now, beside the one that was planned with. */
const tellOther = async ({ paths, stderr, signal }: CommandContext, work: PlaceWork, how: CarryOut): Promise<void> => {
  const { place, held } = work;
  const now = (await askRosters(paths, [{ ...place, cell: how.cell }], signal)).get(place.id);
  if (now === undefined || now instanceof FleetError || now.digest === held.digest) return;
  stderr.write(`${cleanText(`${place.id}: ${now.path} since it was looked at:`)}\n`);
  for (const line of lineDiff(held.text?.text ?? '', now.text?.text ?? '')) stderr.write(`  ${cleanText(line)}\n`);
  stderr.write(`${fleetWords(paths)} diff plans anew with it; --force keeps it beside the new one\n`);
};
