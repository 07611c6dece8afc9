import { Variant } from '@jellybrick/dbus-next';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HOLDER_UNIT, holderKey } from '../../../../src/domain/holder.ts';
import { processStartTicks } from '../../../../src/runtime/process-start.ts';
import { until } from '../../../helpers/until.ts';
import { LifecycleGround, unitOf } from './lifecycle-ground.ts';

const SOON = { timeoutMs: 30_000 };
let ground: LifecycleGround;
/** Agents that come with their holder, as units that require it do. */
let bound: string[];
beforeEach(async () => {
  ground = new LifecycleGround();
  await ground.start();
  bound = [];
  for (const agent of ['coder', 'reviewer']) {
    ground.begin(agent);
    ground.put(agent, 'active');
  }
  ground.begin('notes');
  putHolder('active');
  const { job } = ground.manager;
  // As the holder of the fleets that exist: its end is the end of the server.
  ground.manager.job = async (verb, unit) => {
    if (unit !== HOLDER_UNIT) return job(verb, unit);
    if (verb !== 'start') {
      const pid = ground.serverPid();
      ground.run('kill-server');
      await until(() => processStartTicks(pid) === null, SOON);
    }
    if (verb !== 'stop') ground.begin('_holder');
    for (const agent of verb === 'restart' ? bound : []) ground.begin(agent);
    putHolder(verb === 'stop' ? 'inactive' : 'active');
    return 'done';
  };
});
afterEach(() => ground[Symbol.asyncDispose]());

const putHolder = (activeState: string): void => {
  const along = { RequiredBy: new Variant('as', [unitOf('coder')]), Type: new Variant('s', 'oneshot') };
  ground.manager.set(HOLDER_UNIT, { activeState, mainPid: 0, more: along });
};

const tell = (action: string, over: Parameters<LifecycleGround['tell']>[3] = {}) =>
  ground.tell(ground.orders(), action, 'holder', { key: holderKey(), ...over });

test.each(['stop', 'restart'])('a %s says first how many end with it, and which', async (verb) => {
  const refused = await tell(verb);
  expect(refused).toMatchObject({ outcome: 'refused', address: `home/W-jarvis/jarvis/${HOLDER_UNIT}` });
  expect(refused.reason).toBe(
    '3 other sessions (coder, notes, reviewer) and 1 other unit (mosaic-agent@coder.service) would end with it: ' +
      '--force does it all the same',
  );
  expect([ground.jobs(), ground.sessions().length]).toEqual([[], 4]);
});

test('a forced restart is proven by its session, and says who is not back and how to start them', async () => {
  bound = ['coder'];
  const before = ground.serverPid();
  const outcome = await tell('restart', { force: true });
  expect(outcome).toMatchObject({ outcome: 'done', verb: 'restart' });
  expect(outcome.reason).toBe(
    'ended along: 3 other sessions (coder, notes, reviewer); not running now: fleet start reviewer',
  );
  expect(ground.jobs()).toEqual(['RestartUnit']);
  expect([ground.sessions().sort(), ground.serverPid() === before]).toEqual([['_holder', 'coder'], false]);
});

test('stopped, it is stopped; started, its session is there again; each again changes nothing', async () => {
  expect((await tell('stop', { force: true })).outcome).toBe('done');
  expect(await tell('stop', { id: 'two' })).toMatchObject({ outcome: 'done', reason: 'it was stopped already' });
  expect(await tell('start')).toMatchObject({ outcome: 'done', reason: '' });
  expect(ground.sessions()).toEqual(['_holder']);
  expect(await tell('start')).toMatchObject({ outcome: 'done', reason: 'it ran already' });
  expect(ground.jobs()).toEqual(['StopUnit', 'StartUnit']);
});

test('one that leaves its session as it was is not called restarted', async () => {
  ground.manager.job = () => 'done';
  const outcome = await tell('restart', { force: true, timeoutMs: 6_000 });
  expect(outcome).toMatchObject({
    outcome: 'failed',
    reason: expect.stringContaining('its session is the one of before'),
  });
});

test('it waits for the turn of every agent on its server', async () => {
  const gate = Promise.withResolvers<void>();
  const { job } = ground.manager;
  ground.manager.job = async (verb, unit) => {
    if (unit === unitOf('reviewer')) await gate.promise;
    return job(verb, unit);
  };
  const first = ground.tell(ground.orders('one.journal'), 'restart', 'reviewer', { id: 'anns' });
  await until(() => ground.jobs().length === 1, SOON);
  const late = await tell('restart', { force: true, timeoutMs: 3_000 });
  expect(late).toMatchObject({ outcome: 'busy', reason: 'restart anns by local:jarvis has its turn' });
  expect(ground.jobs()).toEqual(['StopUnit']);
  gate.resolve();
  expect((await first).outcome).toBe('done');
  expect(ground.waiting()).toEqual([]);
});

test('it has no conversation, and another unit is no holder', async () => {
  expect(await tell('reset', { force: true })).toMatchObject({ outcome: 'refused' });
  expect(await tell('stop', { key: holderKey('sshd.service'), force: true })).toMatchObject({ outcome: 'gone' });
  expect(ground.jobs()).toEqual([]);
});

test('a host-agent that ends in between: the next one looks whether the holder is there', async () => {
  const gate = Promise.withResolvers<void>();
  const { job } = ground.manager;
  ground.manager.job = async (verb, unit) => {
    await gate.promise;
    return job(verb, unit);
  };
  const first = ground.orders();
  const told = ground.tell(first, 'stop', 'holder', { id: 'cut', key: holderKey(), force: true });
  await until(() => ground.jobs().length === 1, SOON);
  await first.stopped();
  expect(await told).toMatchObject({ outcome: 'pending' });
  const asked = tell('stop', { id: 'cut', force: true });
  gate.resolve();
  expect(await asked).toMatchObject({ outcome: 'done', reason: 'the host-agent ended meanwhile' });
  expect(ground.jobs()).toEqual(['StopUnit']);
});
