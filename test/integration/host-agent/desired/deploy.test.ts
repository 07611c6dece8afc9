/** Deploys over real tmux, a real home folder and a scripted systemd manager. */
import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { agentUnitText } from '../../../../host-agent/launch/agent-unit.ts';
import { agentLaunchPaths, envFile, unitFile, unitsFolder } from '../../../../host-agent/launch/launch-paths.ts';
import { rosterDigest } from '../../../../src/roster/digest.ts';
import type { OrderOutcome } from '../../../../src/wire/gen/fleet/v1/orders.ts';
import { until } from '../../../helpers/until.ts';
import { type Told, unitOf } from '../lifecycle/lifecycle-ground.ts';
import { type Cut, DesiredGround } from './desired-ground.ts';

const SOON = { timeoutMs: 60_000 };
const ONE = 'version: 2\nagents:\n  - { name: coder, runtime: pi }\n';
const OTHER_MODEL = 'version: 2\nagents:\n  - { name: coder, runtime: pi, model_hint: big }\n';
const WORKER = 'version: 2\nagents:\n  - { name: coder, runtime: pi, lifecycle: ephemeral }\n';
const SHARED = 'version: 2\nagents:\n  - { name: coder, runtime: pi, layout: shared, socket: fleet }\n';

let ground: DesiredGround;
beforeEach(async () => {
  ground = new DesiredGround();
  await ground.start();
  ground.write(ONE);
});
afterEach(() => ground[Symbol.asyncDispose]());

let journals = 0;
/** By a host-agent of its own. */
const deploy = (told: Told = {}, agent = 'coder'): Promise<OrderOutcome> => {
  journals += 1;
  return ground.tell(ground.orders(`deploy-${journals}.journal`), 'deploy', agent, told);
};
const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('an agent that is not there', () => {
  test('gets its env file, its unit, its place at boot, and runs; the same again changes nothing', async () => {
    ground.lingering = 'enabled';
    expect(await deploy()).toMatchObject({
      outcome: 'done',
      verb: 'deploy',
      address: 'home/W-jarvis/jarvis/coder',
      reason: 'env file made, unit written, enabled, linger turned on, started',
    });
    const agent = ground.roster()!.agents[0]!;
    expect(ground.unitText('coder')).toBe(agentUnitText(agent, ground.ground));
    expect(modeOf(unitFile(ground.home, 'coder'))).toBe(0o644);
    expect(ground.envText('coder')).toMatch(/^MOSAIC_AGENT_NAME=coder$/m);
    expect(modeOf(envFile(ground.ground, 'coder'))).toBe(0o600);
    expect([...ground.enabled]).toEqual([unitOf('coder')]);
    const pid = ground.panePid('coder');
    const calls = ground.manager.calls.length;
    expect(await deploy()).toMatchObject({ outcome: 'done', reason: 'it is so already' });
    expect(ground.manager.calls.slice(calls).filter((call) => /^(Reload|Enable|Start|Stop)/.test(call))).toEqual([]);
    expect(ground.panePid('coder')).toBe(pid);
  });

  test('and whose env file is there keeps it', async () => {
    writeFileSync(envFile(ground.ground, 'coder'), 'MOSAIC_AGENT_MODEL=mine\n');
    expect(await deploy()).toMatchObject({ outcome: 'done', reason: 'unit written, enabled, started' });
    expect(ground.envText('coder')).toBe('MOSAIC_AGENT_MODEL=mine\n');
  });

  test('where linger is refused runs all the same, and the administrator’s command is told', async () => {
    ground.lingering = 'refused';
    const { outcome, reason } = await deploy();
    expect(outcome).toBe('done');
    expect(reason).toMatch(/started; .*administrator runs: sudo loginctl enable-linger jarvis$/);
  });

  test('and does not start stays planned: its unit is there, enabled, and the outcome says why', async () => {
    ground.manager.job = () => 'failed';
    ground.hindrances.set('coder', 'pi is not found on its PATH (/usr/bin)');
    const { outcome, reason } = await deploy();
    expect(outcome).toBe('failed');
    expect(reason).toMatch(
      /^env file made, unit written, enabled; but then: its start ended as failed; its preflight: pi/,
    );
    expect([...ground.enabled]).toEqual([unitOf('coder')]);
  });

  test('a worker is started once and never enabled', async () => {
    ground.write(WORKER);
    expect(await deploy()).toMatchObject({ outcome: 'done', reason: 'env file made, unit written, started' });
    ground.run('kill-session', '-t', '=coder');
    ground.put('coder', 'inactive');
    expect(await deploy()).toMatchObject({
      outcome: 'done',
      reason: expect.stringMatching(/ran already: fleet start/),
    });
    expect(ground.sessions()).toEqual(['_holder']);
    expect(ground.enabled.size).toBe(0);
  });
});

describe('an agent that runs', () => {
  beforeEach(async () => {
    expect(await deploy()).toMatchObject({ outcome: 'done' });
  });

  test('is restarted where its launch would be another, and only then', async () => {
    const pid = ground.panePid('coder');
    ground.write(OTHER_MODEL);
    expect(await deploy()).toMatchObject({ outcome: 'done', reason: 'restarted' });
    expect(ground.panePid('coder')).not.toBe(pid);
    ground.write(`# a word\n${OTHER_MODEL}`);
    expect(await deploy()).toMatchObject({ reason: 'it is so already' });
    writeFileSync(envFile(ground.ground, 'coder'), 'MOSAIC_AGENT_MODEL=by-hand\n');
    expect(await deploy()).toMatchObject({ outcome: 'done', reason: 'restarted' });
  });

  test('is restarted where its unit was written after it came up', async () => {
    utimesSync(unitFile(ground.home, 'coder'), new Date(), new Date(Date.now() + 5_000));
    expect(await deploy()).toMatchObject({ outcome: 'done', reason: 'restarted' });
  });

  test('and could not start again is not ended for a restart', async () => {
    const pid = ground.panePid('coder');
    ground.write(OTHER_MODEL);
    ground.hindrance = 'its working directory /gone does not exist';
    expect(await deploy()).toMatchObject({
      outcome: 'failed',
      reason: 'not restarted, it runs on as before: its working directory /gone does not exist',
    });
    expect(ground.panePid('coder')).toBe(pid);
  });

  test('and was taken over is not restarted unless that is forced', async () => {
    ground.over.set('coder', { writer: 'ann@laptop' });
    ground.write(OTHER_MODEL);
    expect(await deploy()).toMatchObject({ outcome: 'busy', reason: 'ann@laptop has taken it over' });
    expect(await deploy({ force: true })).toMatchObject({ outcome: 'done', reason: 'restarted' });
  });

  test('outside of its unit is left alone, and that is said', async () => {
    ground.put('coder', 'inactive');
    ground.write(OTHER_MODEL);
    const pid = ground.panePid('coder');
    const told = await deploy();
    expect(told).toMatchObject({ outcome: 'done', reason: expect.stringMatching(/runs outside of its unit/) });
    expect(ground.panePid('coder')).toBe(pid);
  });
});

describe('a shared layout with the operator’s own units', () => {
  beforeEach(() => {
    ground.write(SHARED);
    ground.operatorsOwn('coder');
  });

  test('is enabled, and nothing of it is written nor ended', async () => {
    const pid = ground.panePid('coder');
    writeFileSync(envFile(ground.ground, 'coder'), 'MOSAIC_TMUX_SOCKET=fleet\n');
    expect(await deploy()).toMatchObject({ outcome: 'done', reason: 'enabled' });
    expect(readdirSync(unitsFolder(ground.home))).toEqual(['mosaic-agent@.service']);
    expect(ground.panePid('coder')).toBe(pid);
  });

  test('is left only where that was asked: stopped there, then started by a unit of its own', async () => {
    writeFileSync(envFile(ground.ground, 'coder'), '# mine\nMOSAIC_TMUX_SOCKET=fleet\n');
    ground.write(ONE);
    const pid = ground.panePid('coder');
    const refused = await deploy();
    expect(refused).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(/--migrate/) });
    expect(await ground.desired.undeployed(ground.roster()!)).toMatchObject([{ agent: 'coder', moves: true }]);
    expect(ground.panePid('coder')).toBe(pid);
    expect(ground.unitText('coder')).toBeNull();

    const moved = await deploy({ migrate: true });
    expect(moved).toMatchObject({ outcome: 'done' });
    expect(moved.reason).toMatch(
      /^stopped on its shared server, its env file names no socket any more \(the one before is kept as .*coder\.env\.before-2026-01-02T00-00-00-000Z\), unit written, enabled, started$/,
    );
    expect(ground.jobs()).toEqual(['StopUnit', 'StartUnit']);
    expect(ground.panePid('coder')).not.toBe(pid);
    expect(ground.envText('coder')).toBe('# mine\n# MOSAIC_TMUX_SOCKET=fleet\n');
    expect(await deploy()).toMatchObject({ outcome: 'done', reason: 'it is so already' });
  });

  test('is not left where it could not start on its own', async () => {
    ground.write(ONE);
    ground.hindrance = 'pi is not found';
    const pid = ground.panePid('coder');
    expect(await deploy({ migrate: true })).toMatchObject({
      outcome: 'refused',
      reason: expect.stringMatching(/not moved, since it could not start there: pi is not found/),
    });
    expect(ground.panePid('coder')).toBe(pid);
  });

  test('that was left half way is left by the next deploy', async () => {
    ground.write(ONE);
    ground.cutAt = 'enable';
    const first = ground.orders('cut.journal');
    const told = ground.tell(first, 'deploy', 'coder', { migrate: true, id: 'moving' });
    await until(() => ground.isCut, SOON);
    const stopped = first.stopped();
    ground.cut();
    await Promise.all([stopped, told]);
    const back = await ground.tell(ground.orders('cut.journal'), 'deploy', 'coder', { migrate: true, id: 'moving' });
    expect(back).toMatchObject({
      outcome: 'failed',
      reason: 'the host-agent ended meanwhile; what it has still to do: enable it, start it',
    });
    expect(await deploy({ migrate: true })).toMatchObject({ outcome: 'done', reason: 'enabled, started' });
  });
});

describe('it is refused, and nothing changes,', () => {
  test.each<[string, Told, RegExp]>([
    ['where the roster on disk is another', { rosterDigest: rosterDigest('x') }, /is another by now than the one/],
    ['for a name that is not in it', { key: 'roster:nobody' }, /names no agent nobody of this host and user/],
    ['for a session in no roster', { key: 'tmux:/tmp/x:1:2:$3' }, /only a roster says what it is/],
  ])('%s', async (_, told, words) => {
    expect(await deploy(told)).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(words) });
    expect(existsSync(agentLaunchPaths(ground.ground, 'coder').folder)).toBe(false);
    expect(readdirSync(unitsFolder(ground.home))).toEqual([]);
  });

  test('for an entry of another host or another user', async () => {
    ground.write('version: 2\nagents:\n  - { name: coder, runtime: pi, host: ann@W-jarvis }\n');
    expect((await deploy()).reason).toMatch(/names no agent coder of this host and user/);
  });

  test('where this host lets callers only start and stop', async () => {
    ground.control = 'lifecycle';
    expect(await deploy()).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(/only lifecycle/) });
  });

  test('for a unit that somebody else wrote, which is kept beside the new one where it is forced', async () => {
    writeFileSync(unitFile(ground.home, 'coder'), '[Service]\nExecStart=/bin/true\n');
    ground.load('coder');
    expect((await deploy()).reason).toMatch(/fleet did not write/);
    const forced = await deploy({ force: true });
    expect(forced).toMatchObject({
      outcome: 'done',
      reason: expect.stringMatching(/unit written \(the one before is/),
    });
    expect(readdirSync(unitsFolder(ground.home)).sort()).toEqual([
      unitOf('coder'),
      `${unitOf('coder')}.before-2026-01-02T00-00-00-000Z`,
    ]);
  });
});

test('what a hand changed is told to whoever plans, and what only does not run is not', async () => {
  const told = () => ground.desired.undeployed(ground.roster()!);
  expect(await deploy()).toMatchObject({ outcome: 'done' });
  expect(await told()).toEqual([]);
  ground.write(OTHER_MODEL);
  const before = { agent: 'coder', reason: 'it runs as the roster said before', restart: true, moves: false };
  expect(await told()).toEqual([before]);
  ground.run('kill-session', '-t', '=coder');
  ground.put('coder', 'inactive');
  expect(await told()).toEqual([]);
  ground.write(`${OTHER_MODEL}  - { name: new, runtime: pi }\n`);
  const unwritten = { reason: 'its unit is not written as it should be', restart: false, moves: false };
  expect(await told()).toEqual([{ agent: 'new', ...unwritten }]);
});

describe('a host-agent that ended at it', () => {
  test.each<[Cut, RegExp, string]>([
    ['enable', /what it has still to do: enable it, turn linger on, start it/, 'enabled, linger turned on, started'],
    ['reload', /what it has still to do: .*turn linger on, start it/, 'linger turned on, started'],
    ['linger', /what it has still to do: turn linger on, start it/, 'linger turned on, started'],
  ])('before %s: its successor tells what is left, and the next deploy does it', async (step, words, rest) => {
    ground.lingering = 'enabled';
    ground.cutAt = step;
    const first = ground.orders('cut.journal');
    const told = ground.tell(first, 'deploy', 'coder', { id: 'cut' });
    await until(() => ground.isCut, SOON);
    const stopped = first.stopped();
    ground.cut();
    await stopped;
    expect(await told).toMatchObject({ outcome: 'pending' });
    const after = await ground.tell(ground.orders('cut.journal'), 'deploy', 'coder', { id: 'cut' });
    expect(after).toMatchObject({ outcome: 'failed', reason: expect.stringMatching(words), repeated: true });
    expect(await deploy()).toMatchObject({ outcome: 'done', reason: expect.stringContaining(rest) });
    expect(ground.sessions()).toContain('coder');
  });

  test('after the start was told to systemd: its successor sees that it runs', async () => {
    const gate = Promise.withResolvers<void>();
    const { job } = ground.manager;
    ground.manager.job = async (verb, unit) => {
      ground.put('coder', 'activating');
      await gate.promise;
      return await job(verb, unit);
    };
    const first = ground.orders('cut.journal');
    const told = ground.tell(first, 'deploy', 'coder', { id: 'cut' });
    await until(() => ground.jobs().length === 1, SOON);
    await first.stopped();
    expect(await told).toMatchObject({ outcome: 'pending' });
    const after = ground.tell(ground.orders('cut.journal'), 'deploy', 'coder', { id: 'cut' });
    gate.resolve();
    expect(await after).toMatchObject({ outcome: 'done', reason: 'the host-agent ended meanwhile', repeated: true });
  });
});
