/** Removals over real tmux, a real home folder and a scripted systemd manager. */
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Variant } from '@jellybrick/dbus-next';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { agentLaunchPaths, envFile, unitsFolder } from '../../../../host-agent/launch/launch-paths.ts';
import { rosterDigest } from '../../../../src/roster/digest.ts';
import type { OrderOutcome } from '../../../../src/wire/gen/fleet/v1/orders.ts';
import { until } from '../../../helpers/until.ts';
import { type Told, unitOf } from '../lifecycle/lifecycle-ground.ts';
import { DesiredGround } from './desired-ground.ts';

const SOON = { timeoutMs: 60_000 };
const ONE = 'version: 2\nagents:\n  - { name: coder, runtime: pi }\n';
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
const tell = (action: string, told: Told = {}): Promise<OrderOutcome> => {
  journals += 1;
  return ground.tell(ground.orders(`remove-${journals}.journal`), action, 'coder', told);
};
const beat = (): string => join(ground.ground.mosaicHome, 'fleet/run/coder.hb');
const leaveRecords = (): void => {
  for (const folder of [join(ground.ground.mosaicHome, 'fleet/run'), agentLaunchPaths(ground.ground, 'coder').runs])
    mkdirSync(folder, { recursive: true });
  writeFileSync(beat(), 'ts=1\n');
  writeFileSync(beat().replace('coder', 'coder2'), 'ts=1\n');
};

test('of what was deployed nothing runs nor comes back; what is its operator’s stays, and is purged where that is said', async () => {
  expect(await tell('deploy')).toMatchObject({ outcome: 'done' });
  leaveRecords();
  const { folder, runs } = agentLaunchPaths(ground.ground, 'coder');
  expect(existsSync(folder)).toBe(true);
  expect(await tell('remove', { rosterDigest: rosterDigest(ONE) })).toMatchObject({
    outcome: 'done',
    verb: 'remove',
    reason: 'stopped, disabled, unit deleted, launch files deleted',
  });
  expect(ground.sessions()).toEqual(['_holder']);
  expect(ground.enabled.size).toBe(0);
  expect(readdirSync(unitsFolder(ground.home))).toEqual([]);
  expect(existsSync(folder)).toBe(false);
  expect([envFile(ground.ground, 'coder'), runs, beat()].map(existsSync)).toEqual([true, true, true]);

  expect(await tell('remove')).toMatchObject({ outcome: 'done', reason: 'nothing of it was there' });
  expect(await tell('remove', { purge: true })).toMatchObject({
    outcome: 'done',
    reason: 'env file and records deleted',
  });
  expect([envFile(ground.ground, 'coder'), runs, beat()].map(existsSync)).toEqual([false, false, false]);
  expect(existsSync(beat().replace('coder', 'coder2'))).toBe(true);
});

test('an operator’s own unit is stopped and disabled, and stays where it is', async () => {
  ground.write(SHARED);
  ground.operatorsOwn('coder');
  ground.manager.unitFiles('enable', [unitOf('coder')]);
  expect(await tell('remove')).toMatchObject({ outcome: 'done', reason: 'stopped, disabled' });
  expect(readdirSync(unitsFolder(ground.home))).toEqual(['mosaic-agent@.service']);
  expect(ground.sessions()).toEqual(['_holder']);
  expect(ground.enabled.size).toBe(0);
});

test('the holder that fleet made goes with the last agent on its server, and not before', async () => {
  const two = SHARED.replace('agents:\n', 'agents:\n  - { name: other, runtime: pi, layout: shared, socket: fleet }\n');
  ground.write(two);
  ground.put('other', 'inactive');
  expect(await tell('deploy')).toMatchObject({ outcome: 'done' });
  expect(await tell('deploy', { key: 'roster:other' })).toMatchObject({ outcome: 'done' });
  const left = await tell('remove', { key: 'roster:other' });
  expect(left).toMatchObject({ outcome: 'done', reason: expect.not.stringMatching(/holder/) });
  expect(readdirSync(unitsFolder(ground.home)).sort()).toEqual([unitOf('coder'), 'mosaic-tmux-holder.service']);
  const last = await tell('remove');
  expect(last).toMatchObject({ outcome: 'done', reason: expect.stringMatching(/its holder removed/) });
  expect(readdirSync(unitsFolder(ground.home))).toEqual([]);
});

test('a session that runs without any unit is ended by its id', async () => {
  ground.begin('coder');
  ground.begin('other');
  expect(await tell('remove')).toMatchObject({ outcome: 'done', reason: 'its session ended' });
  expect(ground.sessions()).toEqual(['_holder', 'other']);
});

test('what no roster names any more is removed all the same where fleet wrote its unit', async () => {
  expect(await tell('deploy')).toMatchObject({ outcome: 'done' });
  ground.write('version: 2\nagents:\n  - { name: reviewer, runtime: pi }\n');
  expect(await tell('remove')).toMatchObject({ outcome: 'done', reason: expect.stringMatching(/^stopped, disabled/) });
  expect(readdirSync(unitsFolder(ground.home))).toEqual([]);
});

test('it is refused where the roster is another, where others would end with it, and for a unit of somebody’s own', async () => {
  expect(await tell('deploy')).toMatchObject({ outcome: 'done' });
  expect(await tell('remove', { rosterDigest: rosterDigest('x') })).toMatchObject({
    outcome: 'refused',
    reason: expect.stringMatching(/is another by now/),
  });
  ground.put('coder', 'active', { RequiredBy: new Variant('as', [unitOf('other')]) });
  ground.put('other', 'active');
  const alone = await tell('remove');
  expect(alone).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(/would end with it: --force/) });
  expect(ground.sessions()).toContain('coder');
  expect([...ground.enabled]).toEqual([unitOf('coder')]);

  ground.write('version: 2\nagents:\n  - { name: reviewer, runtime: pi }\n');
  ground.operatorsOwn('stranger');
  const theirs = await tell('remove', { key: 'roster:stranger' });
  expect(theirs).toMatchObject({ outcome: 'refused', reason: expect.stringMatching(/fleet did not write/) });
  expect(ground.sessions()).toContain('stranger');
});

test.each([
  ['disable', 'the file of mosaic-agent@coder.service is', 'disabled, unit deleted, launch files deleted'],
  ['reload', 'the files of its launch are', 'launch files deleted'],
] as const)(
  'a host-agent that ended at it (%s) tells what is left, and the next removal finishes it',
  async (cutAt, left, rest) => {
    expect(await tell('deploy')).toMatchObject({ outcome: 'done' });
    ground.cutAt = cutAt;
    const first = ground.orders('cut.journal');
    const told = ground.tell(first, 'remove', 'coder', { id: 'cut' });
    await until(() => ground.isCut, SOON);
    const stopped = first.stopped();
    ground.cut();
    await Promise.all([stopped, told]);
    expect(await ground.tell(ground.orders('cut.journal'), 'remove', 'coder', { id: 'cut' })).toMatchObject({
      outcome: 'failed',
      reason: `the host-agent ended meanwhile; it was not removed to the end: ${left} still there`,
    });
    expect(await tell('remove')).toMatchObject({ outcome: 'done', reason: rest });
  },
);

test('one that ended when all was done is told as done', async () => {
  expect(await tell('deploy')).toMatchObject({ outcome: 'done' });
  const gate = Promise.withResolvers<void>();
  const { job } = ground.manager;
  ground.manager.job = async (verb, unit) => {
    await gate.promise;
    return await job(verb, unit);
  };
  const first = ground.orders('cut.journal');
  const told = ground.tell(first, 'remove', 'coder', { id: 'cut' });
  await until(() => ground.jobs().at(-1) === 'StopUnit', SOON);
  await first.stopped();
  gate.resolve();
  await told;
  await until(() => !ground.sessions().includes('coder'), SOON);
  expect(await tell('remove')).toMatchObject({ outcome: 'done' });
  expect(await ground.tell(ground.orders('cut.journal'), 'remove', 'coder', { id: 'cut' })).toMatchObject({
    outcome: 'done',
    reason: 'the host-agent ended meanwhile',
  });
});

test('what comes up at boot by a unit of somebody’s own, and that no roster names, is told apart from what fleet made', async () => {
  const wants = join(unitsFolder(ground.home), 'default.target.wants');
  mkdirSync(wants, { recursive: true });
  symlinkSync('../mosaic-agent@.service', join(wants, unitOf('old')));
  expect(await tell('deploy')).toMatchObject({ outcome: 'done' });
  expect(await ground.desired.standing(ground.roster()!)).toMatchObject({ leftOver: ['old'], orphans: [] });
  ground.write('version: 2\nagents:\n  - { name: other, runtime: pi }\n');
  expect(await ground.desired.standing(ground.roster()!)).toMatchObject({ leftOver: ['old'], orphans: ['coder'] });
});

test('what was deployed and then taken out of the roster by hand is told to whoever plans, and removed', async () => {
  expect(await tell('deploy')).toMatchObject({ outcome: 'done' });
  writeFileSync(join(unitsFolder(ground.home), unitOf('theirs')), '[Service]\nExecStart=/bin/true\n');
  const orphans = () => ground.desired.orphans(ground.roster()!);
  expect(await orphans()).toEqual([]);
  ground.write('version: 2\nagents:\n  - { name: other, runtime: pi }\n');
  expect(await orphans()).toEqual(['coder']);
  expect(await tell('remove')).toMatchObject({ outcome: 'done' });
  expect(await orphans()).toEqual([]);
  expect(ground.sessions()).toEqual(['_holder']);
});
