/** A plan for people: what differs, by host; what is kept is only counted. Every line is harmless on a terminal. */
import { cleanText } from '../../domain/clean-text.ts';
import type { DesiredPlan, PlacePlan, PlanStep, StepAction } from '../../domain/desired-plan.ts';
import type { Override } from '../../domain/overrides.ts';
import type { Painter, Style } from '../render/paint.ts';

const MARKS: Record<StepAction, { mark: string; style: Style | null }> = {
  add: { mark: '+', style: 'good' },
  change: { mark: '~', style: 'attention' },
  start: { mark: '>', style: 'attention' },
  restart: { mark: '>', style: 'attention' },
  remove: { mark: '-', style: 'bad' },
  keep: { mark: ' ', style: null },
};

/**
 * `age` says how old what is known of a place is; null for what is current. `about` is said of a place beside its steps; null
 * for nothing.
 */
export const planLines = (
  plan: DesiredPlan,
  age: (placeId: string) => string | null,
  paint: Painter,
  about: (placeId: string) => string | null = () => null,
): string[] => [
  ...plan.places.flatMap((each) => placeLines(each, age(each.place.id), about(each.place.id), paint)),
  ...plan.unplaced.map(
    ({ agent, host, why }) => paint('bad', '? ') + cleanText(`${agent}${host === null ? '' : ` (${host})`}: ${why}`),
  ),
];

const placeLines = (
  { place, steps }: PlacePlan,
  age: string | null,
  about: string | null,
  paint: Painter,
): string[] => {
  const told = steps.filter(({ action, overrides }) => action !== 'keep' || overrides.length > 0);
  if (told.length === 0 && age === null && about === null) return [];
  const width = Math.max(0, ...told.map(({ agent }) => cleanText(agent).length));
  const head = `${place.host}/${place.user}${place.here ? '  this host' : ''}${age === null ? '' : `  ${age}`}`;
  const said = about === null ? [] : [paint('attention', cleanText(`  ~ ${about}`))];
  return [paint('strong', cleanText(head)), ...said, ...told.flatMap((step) => stepLines(step, width, paint))];
};

const stepLines = (step: PlanStep, width: number, paint: Painter): string[] => {
  const { mark, style } = MARKS[step.action];
  const words = [actionWords(step), ...(step.because === null ? [] : [step.because])].join(': ');
  return [
    `${paint(style, `${mark} ${cleanText(step.agent).padEnd(width)}  ${words}`)}`,
    ...step.changes.map(({ field, from, to }) => cleanText(`    ${field}: ${from ?? 'none'} → ${to ?? 'none'}`)),
    ...step.overrides.map((each) => cleanText(`    ${overrideWords(each)}`)),
  ].map((line) => `  ${line}`);
};

const actionWords = ({ action, launch }: PlanStep): string => {
  if (action !== 'change') return action;
  return launch === null ? 'change' : `change, ${launch}`;
};

const BY: Record<Override['by'], string> = {
  env: 'its env file says so',
  process: 'that is what runs',
  heartbeat: 'its heartbeat says so',
};

const overrideWords = ({ field, roster, holds, by }: Override): string =>
  `${field}: ${roster ?? 'none'} overridden by ${holds} (${BY[by]}); kept`;

/** `1 to add, 2 to change, 4 as they are` */
export const planCounts = ({ places, unplaced }: DesiredPlan): string => {
  const steps = places.flatMap((each) => each.steps);
  const count = (action: StepAction): number => steps.filter((step) => step.action === action).length;
  const overridden = steps.filter(({ overrides }) => overrides.length > 0).length;
  const parts: [number, string][] = [
    [count('add'), 'to add'],
    [count('change'), 'to change'],
    [count('start'), 'to start'],
    [count('restart'), 'to restart'],
    [count('remove'), 'to remove'],
    [overridden, 'overridden'],
    [unplaced.length, 'without a place'],
    [count('keep'), 'kept'],
  ];
  const said = parts.filter(([n]) => n > 0).map(([n, words]) => `${n} ${words}`);
  return said.length > 0 ? said.join(', ') : 'no agents';
};

export const leftOut = (count: number): string[] =>
  count === 0 ? [] : [`${count} of other hosts left out: --host HOST compares them`];
