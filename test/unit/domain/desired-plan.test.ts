import { describe, expect, test } from 'vitest';
import type { AgentRow, TmuxFacts } from '../../../src/domain/agent-row.ts';
import { type HeldPlace, isAsDesired, type PlanStep, planDesired } from '../../../src/domain/desired-plan.ts';
import type { RosterAgent } from '../../../src/domain/roster.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { heldPlace, rosterAgent } from '../../helpers/desired.ts';

const screen = (session: string, over: Partial<TmuxFacts> = {}): TmuxFacts =>
  ({ session, socket: '/tmp/s', paneId: '%1', pid: 7, dead: false, ...over }) as TmuxFacts;

/** A row as the host-agent makes it of a roster's plain entry. */
const row = (agent: string, over: Partial<AgentRow> = {}): AgentRow =>
  agentRow({ key: `roster:${agent}`, agent, role: null, lifecycle: null, tmux: screen(agent), ...over });

const place = (over: Partial<HeldPlace> = {}): HeldPlace =>
  heldPlace(over.host ?? 'W-jarvis', over.user ?? 'jarvis', over);
const HERE = { here: true };
const DRAGON = { host: 'dragon-lin', user: 'jwoltje' };

/** The steps of this host alone, which is in scope whatever the roster says. */
const steps = (agents: RosterAgent[], over: Partial<HeldPlace>): PlanStep[] => {
  const here = place({ ...HERE, ...over });
  return planDesired(agents, [here], { placeIds: new Set([here.id]) }).places[0]!.steps;
};
const step = (agent: RosterAgent, held: AgentRow, over: Partial<HeldPlace> = {}): PlanStep =>
  steps([agent], { rows: [held], ...over })[0]!;

describe('steps', () => {
  test('what is there as wanted is kept; what is not is added; what is wanted no longer is removed, by name', () => {
    const plan = steps([rosterAgent('b'), rosterAgent('new'), rosterAgent('a')], {
      rows: [row('a'), row('z'), row('y'), row('b')],
    });
    expect(plan.map(({ agent, action, launch }) => [agent, action, launch])).toEqual([
      ['b', 'keep', null],
      ['new', 'add', 'start'],
      ['a', 'keep', null],
      ['y', 'remove', null],
      ['z', 'remove', null],
    ]);
  });

  test('a session in no roster is never removed; one that has the name of a new agent is told', () => {
    const stranger = row('x_1', { managed: false, source: 'socket', flags: ['UNMANAGED'] });
    const plan = steps([rosterAgent('x.1')], { rows: [stranger] });
    expect(plan).toMatchObject([{ action: 'add', because: 'a session of this name runs there, in no roster' }]);
  });

  test('a change names its fields; what is baked at launch needs a launch of what runs', () => {
    const agent = rosterAgent('a', { model: 'm2', lifecycle: 'core' });
    expect(step(agent, row('a', { model: 'm1' }))).toMatchObject({
      action: 'change',
      launch: 'restart',
      changes: [
        { field: 'model', from: 'm1', to: 'm2' },
        { field: 'lifecycle', from: null, to: 'core' },
      ],
    });
    expect(step(rosterAgent('a', { lifecycle: 'core' }), row('a'))).toMatchObject({ action: 'change', launch: null });
  });

  test('a row tells five fields; where the roster there is known, every field is compared', () => {
    const env = new Map([['PORT', '80']]);
    const agent = rosterAgent('a', { workingDirectory: '/srv', restart: 'no', env });
    const now = rosterAgent('a', { env: new Map([['OLD', 'x']]) });
    expect(step(agent, row('a'))).toMatchObject({ action: 'keep' });
    expect(step(agent, row('a'), { roster: new Map([['a', now]]) }).changes).toEqual([
      { field: 'restart', from: null, to: 'no' },
      { field: 'working_directory', from: '~/src', to: '/srv' },
      { field: 'env.OLD', from: 'x', to: null },
      { field: 'env.PORT', from: null, to: '80' },
    ]);
  });

  test('an agent that should run and does not is started, or launched anew', () => {
    const missing = { tmux: null, flags: ['MISSING'] };
    const failed = { ...agentRow().unit, name: 'u', activeState: 'failed' } as AgentRow['unit'];
    expect(step(rosterAgent('a'), row('a', missing))).toMatchObject({ action: 'start', because: 'no session' });
    expect(step(rosterAgent('a'), row('a', { ...missing, unit: failed }))).toMatchObject({
      because: 'its unit failed',
    });
    const dead = row('a', { tmux: screen('a', { dead: true }) });
    expect(step(rosterAgent('a'), dead)).toMatchObject({ action: 'restart', because: 'dead' });
    expect(step(rosterAgent('a'), row('a', { flags: ['STALE-UNIT'] }))).toMatchObject({ action: 'restart' });
    expect(step(rosterAgent('a', { model: 'm' }), row('a', missing))).toMatchObject({
      action: 'change',
      launch: 'start',
    });
  });

  test('where tmux cannot be asked nothing is started', () => {
    expect(step(rosterAgent('a'), row('a', { tmux: null, readiness: 'unknown' }))).toMatchObject({ action: 'keep' });
  });

  test('an ephemeral worker that has ended is as wanted', () => {
    const worker = rosterAgent('a', { lifecycle: 'ephemeral' });
    const ended = row('a', { lifecycle: 'ephemeral', tmux: screen('a', { dead: true, exitStatus: 0 }) });
    expect(step(worker, ended)).toMatchObject({ action: 'keep', because: 'not running: an ephemeral worker' });
    const gone = row('a', { lifecycle: 'ephemeral', tmux: null, flags: ['MISSING'] });
    expect(step(worker, gone)).toMatchObject({ action: 'keep' });
  });

  test('a unit that would not come back at boot is a change that disturbs nothing', () => {
    expect(step(rosterAgent('a'), row('a', { flags: ['BOOT-ENABLE'] }))).toMatchObject({
      action: 'change',
      launch: null,
      changes: [{ field: 'boot', from: 'disabled', to: 'enabled' }],
    });
  });

  test('an agent that an older launcher started is left alone', () => {
    expect(step(rosterAgent('a'), row('a', { flags: ['VERSION-SKEW', 'LINGER-OFF', 'CRASH-LOOP'] }))).toMatchObject({
      action: 'keep',
      overrides: [],
    });
  });
});

describe('what outranks the roster is told and never planned away', () => {
  test('drift of what runs', () => {
    const drifted = row('a', { model: 'm', runtimeSeen: 'stub', modelSeen: 'n', flags: ['DRIFT', 'MODEL-DRIFT'] });
    expect(step(rosterAgent('a', { model: 'm' }), drifted)).toMatchObject({
      action: 'keep',
      changes: [],
      overrides: [
        { field: 'runtime', roster: 'pi', holds: 'stub', by: 'process' },
        { field: 'model', roster: 'm', holds: 'n', by: 'heartbeat' },
      ],
    });
  });

  test('a roster that comes to say what runs overrides nothing', () => {
    const drifted = row('a', { runtimeSeen: 'stub', flags: ['DRIFT'] });
    expect(step(rosterAgent('a', { runtime: 'stub' }), drifted)).toMatchObject({ action: 'change', overrides: [] });
  });

  test('hand edits of an env file, and only where they say something else', () => {
    const env = (...pairs: [string, string][]) => ({ env: new Map([['a', new Map(pairs)]]) });
    const edited = env(
      ['MOSAIC_AGENT_RUNTIME', 'pi'],
      ['MOSAIC_AGENT_MODEL', 'mine'],
      ['MOSAIC_AGENT_WORKDIR', ''],
      ['MOSAIC_TMUX_SOCKET', 'other'],
      ['API_KEY', 'secret'],
    );
    expect(step(rosterAgent('a', { model: 'm' }), row('a', { model: 'm' }), edited)).toMatchObject({
      action: 'keep',
      overrides: [
        { field: 'socket', roster: null, holds: 'other', by: 'env' },
        { field: 'model', roster: 'm', holds: 'mine', by: 'env' },
      ],
    });
    for (const name of ['', 'default'])
      expect(step(rosterAgent('a'), row('a'), env(['MOSAIC_TMUX_SOCKET', name])).overrides).toEqual([]);
    expect(step(rosterAgent('a', { socketName: 's' }), row('a'), env(['MOSAIC_TMUX_SOCKET', ''])).overrides).toEqual([
      { field: 'socket', roster: 's', holds: 'default', by: 'env' },
    ]);
  });
});

describe('places', () => {
  const places = [
    place({ ...DRAGON, rows: [row('d')] }),
    place({ host: 'dragon-lin', user: 'other', tenantId: 'acme', rows: [row('o')] }),
    place({ ...HERE, alsoCalled: ['jarvis.lan'], rows: [row('a')] }),
    place({ host: 'Box', user: 'u1' }),
    place({ host: 'Box', user: 'u2' }),
  ];
  const plan = (...agents: RosterAgent[]) => planDesired(agents, places, { placeIds: null });

  test('entries go to their hosts, here first; what the roster names nowhere is left alone', () => {
    const { places: planned, unplaced } = plan(
      rosterAgent('d', { host: 'dragon-lin' }),
      rosterAgent('n', { host: 'Box', user: 'u2' }),
      rosterAgent('a'),
      rosterAgent('b', { host: 'jarvis.lan' }),
    );
    expect(unplaced).toEqual([]);
    expect(
      planned.map(({ place: { id }, steps: each }) => [id, ...each.map(({ agent, action }) => `${action} ${agent}`)]),
    ).toEqual([
      ['W-jarvis/jarvis', 'keep a', 'add b'],
      ['Box/u2', 'add n'],
      ['dragon-lin/jwoltje', 'keep d'],
    ]);
  });

  test('user@host reaches another tenant’s user, a host alone never does', () => {
    expect(plan(rosterAgent('o', { host: 'dragon-lin', user: 'other' })).places[0]).toMatchObject({
      place: { id: 'dragon-lin/other' },
      steps: [{ agent: 'o', action: 'keep' }],
    });
  });

  test.each([
    [rosterAgent('x', { host: 'nosuch' }), 'nosuch', 'no host nosuch is known'],
    [rosterAgent('x', { host: 'Box' }), 'Box', 'Box has several users: write u1@Box or u2@Box'],
    [rosterAgent('x', { host: 'Box', user: 'u3' }), 'u3@Box', 'Box has no user u3'],
  ])('an entry without a place says why', (agent, host, why) => {
    expect(plan(agent)).toEqual({ places: [], unplaced: [{ agent: 'x', host, why }] });
  });

  test('two entries that mean one agent are told, the first one counts', () => {
    const { places: planned, unplaced } = plan(
      rosterAgent('a', { model: 'm' }),
      rosterAgent('a', { host: 'W-jarvis' }),
    );
    expect(planned[0]!.steps).toMatchObject([{ agent: 'a', changes: [{ field: 'model', to: 'm' }] }]);
    expect(unplaced).toEqual([
      { agent: 'a', host: 'W-jarvis', why: 'W-jarvis/jarvis has that name from another entry' },
    ]);
  });

  test('a place in scope by name loses what the roster names no longer', () => {
    const scope = { placeIds: new Set(['dragon-lin/jwoltje']) };
    expect(planDesired([], places, scope).places).toMatchObject([{ steps: [{ agent: 'd', action: 'remove' }] }]);
    expect(planDesired([], places, { placeIds: null }).places).toEqual([]);
  });
});

test('as desired is: nothing to do, nothing overridden, every entry placed', () => {
  const here = (held: AgentRow, ...agents: RosterAgent[]) =>
    isAsDesired(planDesired(agents, [place({ ...HERE, rows: [held] })], { placeIds: null }));
  expect(here(row('a'), rosterAgent('a'))).toBe(true);
  expect(here(row('a'), rosterAgent('b'))).toBe(false);
  expect(here(row('a', { runtimeSeen: 'stub', flags: ['DRIFT'] }), rosterAgent('a'))).toBe(false);
  expect(here(row('a'), rosterAgent('a'), rosterAgent('b', { host: 'nosuch' }))).toBe(false);
});

describe('an agent on a shared server whose unit is its operator’s', () => {
  const shared = { layout: 'shared', model: 'm' } as const;
  const operatorUnits = new Set(['a']);

  test('is changed in the roster, and not planned to be launched anew for it, since no deploy does', () => {
    expect(step(rosterAgent('a', shared), row('a'), { operatorUnits })).toMatchObject({
      action: 'change',
      launch: null,
      because: 'its unit is its operator’s, and is not restarted for that',
    });
    expect(step(rosterAgent('a', shared), row('a'), {})).toMatchObject({ launch: 'restart', because: null });
  });

  test('is started where it does not run, all the same', () => {
    const missing = row('a', { tmux: null, flags: ['MISSING'] });
    expect(step(rosterAgent('a', shared), missing, { operatorUnits })).toMatchObject({ launch: 'start' });
  });
});

describe('an agent that its host would not leave as it is', () => {
  const undeployed = new Map([['a', { reason: 'runs what the roster said before', restart: true }]]);

  test('is changed, and launched anew where it runs', () => {
    expect(step(rosterAgent('a'), row('a'), { undeployed })).toMatchObject({
      action: 'change',
      launch: 'restart',
      because: 'runs what the roster said before',
    });
    const unit = new Map([['a', { reason: 'has no unit', restart: false }]]);
    expect(step(rosterAgent('a'), row('a'), { undeployed: unit })).toMatchObject({ action: 'change', launch: null });
  });

  test('is started where it does not run, for which that is reason enough', () => {
    const missing = row('a', { tmux: null, flags: ['MISSING'] });
    expect(step(rosterAgent('a'), missing, { undeployed })).toMatchObject({ action: 'start', because: 'no session' });
  });

  test('is made though it does not run, a worker that nobody launched yet', () => {
    const worker = row('a', { tmux: null, flags: ['MISSING'], lifecycle: 'ephemeral' });
    const unit = new Map([['a', { reason: 'has no unit', restart: false }]]);
    expect(step(rosterAgent('a', { lifecycle: 'ephemeral' }), worker, { undeployed: unit })).toMatchObject({
      action: 'change',
      launch: null,
      because: 'has no unit',
    });
  });

  test('is told by what changes in its roster, where that changes too', () => {
    expect(step(rosterAgent('a', { model: 'm' }), row('a'), { undeployed })).toMatchObject({
      changes: [{ field: 'model' }],
      launch: 'restart',
      because: null,
    });
  });
});
