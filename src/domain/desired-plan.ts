/**
 * Comes in: what one roster wants, and what each (host, user) has. Goes out: the steps from one to the other, in a fixed
 * order. What hands or programs changed beside the roster is told as an override, and no step ever takes it away.
 */
import type { AgentRow } from './agent-row.ts';
import { declaredChanges, type FieldChange, isBakedAtLaunch, rowChanges } from './declared-fields.ts';
import { type Override, overridesOf } from './overrides.ts';
import { type Place, placeAgents, type Unplaced } from './placement.ts';
import { type RosterAgent, sessionNameOf } from './roster.ts';

/** What one (host, user) has. */
export interface HeldPlace extends Place {
  rows: readonly AgentRow[];
  /** What its own roster declares, by name; null where only its rows are known. */
  roster: ReadonlyMap<string, RosterAgent> | null;
  /** Its agents' env files, by name of the agent; null where they are not known. */
  env: ReadonlyMap<string, ReadonlyMap<string, string>> | null;
  /** What its host would change at agents of its roster as it lies there, by name; absent where it does not tell. */
  undeployed?: ReadonlyMap<string, Undeployed>;
  /** Agents that fleet made there and that its roster does not name; absent where its host does not tell. */
  orphans?: readonly string[];
  /** Agents that share a server by units of their operator's: no deploy launches those anew. Absent: not told. */
  operatorUnits?: ReadonlySet<string>;
}

/** An agent that is not yet what its roster and its env file say. */
export interface Undeployed {
  reason: string;
  /** It would be launched anew. */
  restart: boolean;
}

export type StepAction = 'add' | 'change' | 'start' | 'restart' | 'remove' | 'keep';

export interface PlanStep {
  action: StepAction;
  agent: string;
  changes: FieldChange[];
  /** What a change, too, entails: a launch, or a new one of what runs. */
  launch: 'start' | 'restart' | null;
  /** A few words; null for a change that says everything, and for most of what is kept. */
  because: string | null;
  overrides: Override[];
}

export interface PlacePlan {
  place: Place;
  /** Roster order, then removals by name. */
  steps: PlanStep[];
}

export interface DesiredPlan {
  /** Here first, then by host and user. */
  places: PlacePlan[];
  unplaced: Unplaced[];
}

export interface PlanScope {
  /** Ids of the places that are planned; null: those that the roster names. Others lose nothing and gain nothing. */
  placeIds: ReadonlySet<string> | null;
}

export const planDesired = (
  wanted: readonly RosterAgent[],
  held: readonly HeldPlace[],
  scope: PlanScope,
): DesiredPlan => {
  const { agents, unplaced } = placeAgents(wanted, held);
  const inScope = held.filter(({ id }) => scope.placeIds?.has(id) ?? agents.has(id));
  const places = inScope
    .toSorted(byPlace)
    .map((place) => ({ place, steps: planPlace(agents.get(place.id) ?? [], place) }));
  return { places, unplaced };
};

/** Nothing to do and nothing overridden: what runs is what the roster says. */
export const isAsDesired = ({ places, unplaced }: DesiredPlan): boolean =>
  unplaced.length === 0 &&
  places.every(({ steps }) => steps.every(({ action, overrides }) => action === 'keep' && overrides.length === 0));

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const byPlace = (a: Place, b: Place): number =>
  Number(b.here) - Number(a.here) || compareText(a.host, b.host) || compareText(a.user, b.user);

const planPlace = (wanted: readonly RosterAgent[], place: HeldPlace): PlanStep[] => {
  const managed = new Map(place.rows.filter((row) => row.managed).map((row) => [row.agent, row]));
  const strangers = new Set(place.rows.filter((row) => !row.managed).map((row) => row.tmux?.session));
  const names = new Set(wanted.map(({ name }) => name));
  const steps = wanted.map((agent) => {
    const row = managed.get(agent.name);
    return row ? stepOf(agent, row, place) : addition(agent, strangers.has(sessionNameOf(agent.name)));
  });
  const made = new Set([...managed.keys(), ...(place.orphans ?? [])]);
  const gone = [...made].filter((name) => !names.has(name)).sort(compareText);
  return [...steps, ...gone.map(removal)];
};

const NOTHING = { changes: [], launch: null, because: null, overrides: [] } as const;
const nothing = (): Omit<PlanStep, 'action' | 'agent'> => ({ ...NOTHING, changes: [], overrides: [] });

const addition = ({ name }: RosterAgent, isTaken: boolean): PlanStep => ({
  ...nothing(),
  action: 'add',
  agent: name,
  launch: 'start',
  because: isTaken ? 'a session of this name runs there, in no roster' : null,
});

const removal = (name: string): PlanStep => ({
  ...nothing(),
  action: 'remove',
  agent: name,
  because: 'not in this roster',
});

const NOT_RESTARTED = 'its unit is its operator’s, and is not restarted for that';

const stepOf = (wanted: RosterAgent, row: AgentRow, held: HeldPlace): PlanStep => {
  const { roster, env, undeployed, operatorUnits } = held;
  const declared = roster?.get(wanted.name);
  const changes = declared ? declaredChanges(declared, wanted) : rowChanges(row, wanted);
  if (row.flags.includes('BOOT-ENABLE')) changes.push({ field: 'boot', from: 'disabled', to: 'enabled' });
  const run = runNeeded(wanted, row);
  const isLive = row.tmux !== null && row.tmux.dead !== true;
  const isBaked = isLive && changes.some(({ field }) => isBakedAtLaunch(field));
  const isLeft = isBaked && wanted.layout === 'shared' && operatorUnits?.has(wanted.name) === true;
  const relaunch = isBaked && !isLeft ? 'restart' : null;
  const open = undeployed?.get(wanted.name);
  const leftWords = isLeft && run.launch === null ? NOT_RESTARTED : null;
  const launch = run.launch ?? relaunch ?? (open?.restart && isLive ? 'restart' : null);
  return {
    action: changes.length > 0 || (open && run.launch === null) ? 'change' : (run.launch ?? 'keep'),
    agent: wanted.name,
    changes,
    launch,
    because: open && run.launch === null && changes.length === 0 ? open.reason : (run.because ?? leftWords),
    overrides: overridesOf(wanted, row, env?.get(wanted.name) ?? null),
  };
};

/** What the roster's agent lacks to be running, whatever else changes. An ephemeral worker may have ended. */
const runNeeded = (
  { lifecycle }: RosterAgent,
  { tmux, flags, unit }: AgentRow,
): { launch: 'start' | 'restart' | null; because: string | null } => {
  const isMissing = flags.includes('MISSING');
  const isDead = tmux?.dead === true;
  if (lifecycle === 'ephemeral' && (isMissing || isDead))
    return { launch: null, because: 'not running: an ephemeral worker' };
  if (isMissing) return { launch: 'start', because: unit?.activeState === 'failed' ? 'its unit failed' : 'no session' };
  if (isDead) return { launch: 'restart', because: 'dead' };
  if (flags.includes('STALE-UNIT'))
    return { launch: 'restart', because: 'its unit file is newer than what systemd runs' };
  return { launch: null, because: null };
};
