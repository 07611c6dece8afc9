import { describe, expect, test } from 'vitest';
import type { AgentFacts } from '../../../../host-agent/desired/agent-facts.ts';
import { type DeployWish, planDeploy, undeployedOf } from '../../../../host-agent/desired/plan-deploy.ts';
import { agentUnitText, holderUnitText, sharedAgentUnitText } from '../../../../host-agent/launch/agent-unit.ts';
import {
  asItShouldBe,
  asOperatorHasIt,
  CORE,
  DOWN,
  EPHEMERAL,
  GROUND,
  NO_UNIT,
  notThere,
  SHARED,
  unitNow,
} from './facts.ts';

const plan = (facts: AgentFacts, wish: Partial<DeployWish> = {}) =>
  planDeploy(facts, { force: false, migrate: false, ...wish }, GROUND);
const kinds = (facts: AgentFacts, wish: Partial<DeployWish> = {}): string[] =>
  plan(facts, wish).steps.map(({ is }) => is);
const changed = (own: Partial<AgentFacts['own']>): AgentFacts['own'] => ({ ...asItShouldBe().own, ...own });

test('what is as its roster says takes no step', () => {
  expect(plan(asItShouldBe())).toEqual({ steps: [], notes: [] });
  expect(plan(asOperatorHasIt())).toEqual({ steps: [], notes: [] });
});

describe('an agent in a server of its own', () => {
  test('that is not there gets all of it, in an order in which each step may be the last', () => {
    const { steps } = plan(notThere());
    expect(steps.map(({ is }) => is)).toEqual(['write-env', 'write-unit', 'enable', 'reload', 'linger', 'start']);
    expect(steps[1]).toMatchObject({ text: agentUnitText(notThere().agent, GROUND), keep: false });
    expect(steps[2]).toMatchObject({ units: ['mosaic-agent@coder.service'] });
  });

  test.each<[string, Partial<AgentFacts>, string[]]>([
    ['before anything', {}, ['write-env', 'write-unit', 'enable', 'reload', 'linger', 'start']],
    ['after its env file', { hasEnvFile: true }, ['write-unit', 'enable', 'reload', 'linger', 'start']],
    [
      'after its unit, not loaded yet',
      { hasEnvFile: true, own: asItShouldBe().own, unit: NO_UNIT },
      ['enable', 'reload', 'linger', 'start'],
    ],
    [
      'after it was enabled, with a reload still due',
      { hasEnvFile: true, own: asItShouldBe().own, unit: DOWN, file: { ...asItShouldBe().file, needsReload: true } },
      ['reload', 'linger', 'start'],
    ],
    [
      'before it was started',
      { hasEnvFile: true, own: asItShouldBe().own, unit: DOWN, file: asItShouldBe().file, isLingering: true },
      ['start'],
    ],
  ])('whose first deploy ended %s: the next one does the rest', (_, over, steps) => {
    expect(kinds({ ...notThere(), ...over })).toEqual(steps);
  });

  test.each<[string, Partial<AgentFacts>]>([
    ['its launch would bake something else now', { launch: 'other' }],
    ['systemd loaded another unit', { file: { ...asItShouldBe().file, needsReload: true } }],
    ['its unit was written after it came up', { own: changed({ changedMs: 3_000 }) }],
    ['its unit says something else', { own: changed({ text: 'X-Fleet-Agent=coder' }) }],
  ])('is restarted where %s', (_, over) => {
    expect(kinds({ ...asItShouldBe(), ...over }).at(-1)).toBe('restart');
  });

  test('of which nobody knows with what it was launched is not restarted for that', () => {
    expect(kinds({ ...asItShouldBe(), launch: 'unknown' })).toEqual([]);
  });

  test('that runs outside of its unit is left alone, and that is said', () => {
    const found = plan({ ...asItShouldBe(), session: 'outside', unit: DOWN, launch: 'other' });
    expect(found.steps).toEqual([]);
    expect(found.notes).toEqual(['it runs outside of its unit: fleet restart coder --force starts it by it']);
  });

  test('whose unit somebody else wrote is refused, and kept beside the new one where that is forced', () => {
    const theirs = { ...asItShouldBe(), own: changed({ kind: 'theirs', text: '[Service]' }) };
    expect(() => plan({ ...theirs, session: 'none', unit: DOWN })).toThrow(/fleet did not write: --force keeps it/);
    const { steps } = plan({ ...theirs, session: 'none', unit: DOWN }, { force: true });
    expect(steps.map(({ is }) => is)).toEqual(['disable', 'write-unit', 'enable', 'reload', 'start']);
    expect(steps[1]).toMatchObject({ keep: true });
  });

  test('whose unit is masked is refused, forced or not', () => {
    const masked = { ...asItShouldBe(), file: { ...asItShouldBe().file, state: 'masked' } };
    expect(() => plan(masked, { force: true })).toThrow(/unmask mosaic-agent@coder.service/);
  });
});

describe('an ephemeral worker', () => {
  const worker = asItShouldBe(EPHEMERAL);
  const off = { ...worker.file, state: 'disabled' };

  test('is started once, and never enabled', () => {
    expect(kinds({ ...notThere(EPHEMERAL), isLingering: true })).toEqual([
      'write-env',
      'write-unit',
      'reload',
      'start',
    ]);
    expect(kinds({ ...worker, file: off, session: 'none', unit: DOWN, launch: 'never' })).toEqual(['start']);
    const again = plan({ ...worker, file: off, session: 'none', unit: DOWN });
    expect(again.steps).toEqual([]);
    expect(again.notes[0]).toMatch(/ran already: fleet start coder runs it again/);
  });

  test('that was a core agent before comes up at no boot any more', () => {
    const { steps } = plan({ ...worker, own: changed({ text: 'X-Fleet-Agent=coder\nRestart=always' }) });
    expect(steps.map(({ is }) => is)).toEqual(['disable', 'write-unit', 'reload', 'restart']);
  });
});

describe('an agent on a shared server', () => {
  test('with units of its operator is enabled, its holder too, and started; no unit is written', () => {
    const off = {
      ...asOperatorHasIt(),
      file: { ...asItShouldBe().file, state: 'disabled' },
      holder: { loadState: 'loaded', state: 'disabled' },
    };
    expect(plan(off).steps).toEqual([
      { is: 'enable', units: ['mosaic-tmux-holder.service', 'mosaic-agent@coder.service'] },
      { is: 'reload' },
    ]);
    expect(kinds({ ...off, session: 'none', unit: DOWN })).toEqual(['enable', 'reload', 'start']);
  });

  test('with units of its operator gets an env file that says all that its roster says', () => {
    const step = plan({ ...asOperatorHasIt(), hasEnvFile: false }).steps[0];
    expect(step).toMatchObject({ is: 'write-env', text: expect.stringContaining('\nMOSAIC_TMUX_SOCKET=mosaic\n') });
  });

  test('of which the unit says nothing of the boot is told so', () => {
    const found = plan({ ...asOperatorHasIt(), file: { ...asItShouldBe().file, state: 'static' } });
    expect(found).toEqual({ steps: [], notes: ['its unit is static: nothing says that it comes up at boot'] });
  });

  test('without any unit gets one, and a holder where there is none', () => {
    const { steps } = plan({ ...notThere(SHARED), isLingering: true });
    expect(steps.map(({ is }) => is)).toEqual(['write-env', 'write-holder', 'write-unit', 'enable', 'reload', 'start']);
    expect(steps[1]).toMatchObject({ text: holderUnitText(GROUND) });
    expect(steps[2]).toMatchObject({ text: sharedAgentUnitText(notThere(SHARED).agent, GROUND) });
    expect(steps[3]).toMatchObject({ units: ['mosaic-tmux-holder.service', 'mosaic-agent@coder.service'] });
  });
});

describe('an agent that leaves its layout', () => {
  const onShared = {
    ...asOperatorHasIt(CORE),
    session: 'elsewhere',
    envSocket: 'mosaic',
  } as const satisfies AgentFacts;

  test('is moved out of a shared server only where that was asked', () => {
    expect(() => plan(onShared)).toThrow(/it runs on a shared tmux server: --migrate/);
    expect(kinds(onShared, { migrate: true })).toEqual([
      'stop',
      'free-socket',
      'disable',
      'write-unit',
      'enable',
      'reload',
      'start',
    ]);
  });

  test('and whose env file names its new socket keeps it', () => {
    const named = { ...onShared, envSocket: 'fleet-coder' };
    expect(kinds(named, { migrate: true })).not.toContain('free-socket');
  });

  test('and was stopped already is moved all the same, never onto the socket of the others', () => {
    const down = {
      ...onShared,
      session: 'none',
      unit: DOWN,
      roster: { ...onShared.roster, socketName: 'mosaic' },
    } as const;
    expect(() => plan(down)).toThrow(/its env file still names a tmux socket that others share: --migrate/);
    expect(kinds(down, { migrate: true })).toEqual([
      'free-socket',
      'disable',
      'write-unit',
      'enable',
      'reload',
      'start',
    ]);
    const written = { ...down, own: asItShouldBe(CORE).own };
    expect(kinds(written, { migrate: true })).toEqual(['free-socket', 'start']);
    expect(kinds({ ...written, envSocket: 'mine' })).toEqual(['start']);
    expect(kinds({ ...written, session: 'unit', unit: unitNow() })).toEqual([]);
  });

  test('is told which drop-ins its new unit has from the template of before', () => {
    const dropIns = ['/home/u/.config/systemd/user/mosaic-agent@.service.d/memory.conf'];
    expect(plan({ ...asItShouldBe(CORE), dropIns }).notes).toEqual([`its unit is also what these say: ${dropIns[0]}`]);
    expect(plan({ ...asOperatorHasIt(SHARED), dropIns }).notes).toEqual([]);
  });

  test('goes back by its roster alone: its template runs it again', () => {
    const own = asItShouldBe(CORE).own;
    const back = { ...asOperatorHasIt(SHARED), own, session: 'elsewhere', unit: unitNow() } as const;
    expect(kinds(back)).toEqual(['stop', 'disable', 'delete-unit', 'enable', 'reload', 'start']);
    expect(kinds({ ...back, hasTemplate: false })).toContain('write-unit');
  });
});

test('what a deploy would change other than by starting is told, for whoever plans', () => {
  expect(undeployedOf(plan(asItShouldBe()))).toBeNull();
  expect(undeployedOf(plan({ ...asItShouldBe(), session: 'none', unit: DOWN }))).toBeNull();
  expect(undeployedOf(plan({ ...asItShouldBe(), launch: 'other' }))).toEqual({
    reason: 'it runs as the roster said before',
    restart: true,
  });
  expect(undeployedOf(plan(notThere()))).toMatchObject({ restart: false });
});
