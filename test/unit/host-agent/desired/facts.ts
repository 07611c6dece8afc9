/** An agent that is all that its roster says: one server of its own, up, enabled, lingering. */
import type { AgentFacts } from '../../../../host-agent/desired/agent-facts.ts';
import { agentUnitText } from '../../../../host-agent/launch/agent-unit.ts';
import type { LaunchGround } from '../../../../host-agent/launch/launch-paths.ts';
import type { Roster } from '../../../../src/domain/roster.ts';
import type { UnitNow } from '../../../../src/domain/unit-now.ts';
import { parseRoster } from '../../../../src/roster/parse.ts';

/** With all that systemd says of the unit. */
type FullFacts = AgentFacts & { unit: UnitNow };

export const GROUND: LaunchGround = {
  home: '/home/jarvis',
  state: '/home/jarvis/.local/state/fleet',
  share: '/home/jarvis/.local/share/fleet',
  mosaicHome: '/home/jarvis/.config/mosaic',
  tmuxTmpdir: '/tmp',
};

export const rosterOf = (entry: string): Roster => {
  const { roster, problem } = parseRoster(`version: 2\nagents:\n  - ${entry}\n`, 'roster.yaml');
  if (roster === null) throw new Error(problem);
  return roster;
};

export const unitNow = (over: Partial<UnitNow> = {}): UnitNow => ({
  name: 'mosaic-agent@coder.service',
  loadState: 'loaded',
  activeState: 'active',
  subState: 'running',
  result: 'success',
  mainPid: 4_711,
  exitStatus: 0,
  isOneshot: false,
  killsGroup: true,
  processes: [],
  stopsAlong: [],
  ...over,
});

export const CORE = '{ name: coder, runtime: pi, lifecycle: core }';
export const EPHEMERAL = '{ name: coder, runtime: pi, lifecycle: ephemeral }';
export const SHARED = '{ name: coder, runtime: pi, lifecycle: core, layout: shared, socket: mosaic }';

export const DOWN = unitNow({ activeState: 'inactive', subState: 'dead', mainPid: null });
export const NO_UNIT = unitNow({ ...DOWN, loadState: 'not-found' });
const OFF = { state: null, fragmentPath: null, needsReload: false, activeSinceMs: null };

export const asItShouldBe = (entry = CORE): FullFacts => {
  const roster = rosterOf(entry);
  const agent = roster.agents[0]!;
  return {
    agent,
    roster,
    unit: unitNow(),
    file: { state: 'enabled', fragmentPath: '/x', needsReload: false, activeSinceMs: 2_000 },
    own: { kind: 'isolated', text: agentUnitText(agent, GROUND), changedMs: 1_000 },
    hasTemplate: false,
    holder: { loadState: 'not-found', state: null },
    hasEnvFile: true,
    envSocket: undefined,
    session: 'unit',
    writer: null,
    dropIns: [],
    isLingering: true,
    launch: 'same',
  };
};

/** Nothing of it is on the host. */
export const notThere = (entry = CORE): FullFacts => ({
  ...asItShouldBe(entry),
  unit: NO_UNIT,
  file: OFF,
  own: { kind: 'none', text: null, changedMs: 0 },
  hasEnvFile: false,
  session: 'none',
  isLingering: false,
  launch: 'unknown',
});

/** As in the fleets that exist: an instance of the operator's template, on a shared server that a holder keeps. */
export const asOperatorHasIt = (entry = SHARED): FullFacts => ({
  ...asItShouldBe(entry),
  unit: unitNow({ subState: 'exited', mainPid: null, isOneshot: true }),
  own: { kind: 'none', text: null, changedMs: 0 },
  hasTemplate: true,
  holder: { loadState: 'loaded', state: 'enabled' },
  launch: 'unknown',
});
