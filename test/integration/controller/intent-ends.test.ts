import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/runtime/clock.ts';
import type { IntentStep } from '../../../src/wire/gen/fleet/v1/intent.ts';
import { putRoster } from '../../helpers/roster-host.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import { failureOf } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';
import { DRAGON, IntentGround, SOON, TEXT } from './intent-ground.ts';

let ground: IntentGround;
beforeEach(async () => {
  ground = await IntentGround.start();
});
afterEach(() => ground?.end());

test('an intent whose time is over is never carried out, and the host is shown as behind', async () => {
  const dragon = await ground.away();
  await ground.give({ expiresMs: 300 });
  expect(await ground.over()).toMatchObject({ state: 'expired', reason: '0 of 3 steps were given in its time' });
  expect(await ground.behind()).toMatchObject({ state: 'expired', expiresInMs: null });
  dragon.start();
  await until(async () => (await ground.cell.controller.link(DRAGON)) === 'connected null', SOON);
  expect(ground.there.begun).toEqual([]);
});

test('time that runs out in the middle ends it there', async () => {
  const dragon = await ground.away();
  const gate = Promise.withResolvers<void>();
  ground.there.gate = (what) => (what === 'roster' ? gate.promise : Promise.resolve());
  const { expiresMs } = await ground.give({ expiresMs: 3_000 });
  dragon.start();
  await until(() => ground.there.begun.includes('roster'), SOON);
  expect(await ground.look()).toMatchObject({ state: 'running' });
  expect(await ground.behind()).toMatchObject({ state: 'running' });
  await until(() => Date.now() > expiresMs, SOON);
  gate.resolve();
  expect(await ground.over()).toMatchObject({ state: 'expired', reason: '2 of 3 steps were given in its time' });
  expect(ground.there.begun).toEqual(['remove roster:old', 'roster']);
});

test('an intent is withdrawn by its id, or whichever waits, and then never given', async () => {
  const dragon = await ground.away();
  await ground.give();
  expect((await failureOf(ground.give({ id: 'another', steps: [] }))).code).toBe(status.NOT_FOUND);
  const withdrawn = await ground.give({ steps: [] });
  expect(withdrawn).toMatchObject({ id: 'intent-1', state: 'withdrawn', reason: 'by local:admin socket' });
  expect(await ground.give({ id: '', steps: [] })).toEqual(withdrawn);
  expect(await ground.behind()).toBeNull();
  dragon.start();
  await until(async () => (await ground.cell.controller.link(DRAGON)) === 'connected null', SOON);
  expect(ground.there.begun).toEqual([]);
});

test('a newer intent takes the place of the one that waits, and says of which', async () => {
  const dragon = await ground.away();
  const first = await ground.give();
  expect(await ground.give()).toEqual(first);
  expect((await failureOf(ground.give({ expiresMs: 1_000 }))).code).toBe(status.ALREADY_EXISTS);
  const steps: IntentStep[] = [{ putRoster: putRoster(DRAGON, 'version: 2\n', { id: 'roster-2' }) }];
  expect(await ground.give({ id: 'intent-2', steps })).toMatchObject({
    state: 'waiting',
    displaced: 'intent-1',
  });
  dragon.start();
  expect(await ground.over()).toMatchObject({ id: 'intent-2', state: 'done' });
  expect(ground.there.begun).toEqual(['roster']);
  expect(ground.there.text).toBe('version: 2\n');
  // One that is over is no more displaced than repeated.
  expect(await ground.give({ id: 'intent-2', steps })).toMatchObject({ state: 'done' });
  expect(await ground.give({ id: 'intent-3', expiresMs: 60_000 })).toMatchObject({
    displaced: '',
  });
});

test('one that is given while another is under way begins when that step is over, never beside it', async () => {
  await ground.cell.host('dragon-lin', { calls: ground.there.calls });
  const gate = Promise.withResolvers<void>();
  ground.there.gate = (what) => (what === 'remove roster:old' ? gate.promise : Promise.resolve());
  await ground.give();
  await until(() => ground.there.begun.length === 1, SOON);
  const steps: IntentStep[] = [{ putRoster: putRoster(DRAGON, TEXT, { id: 'roster-2' }) }];
  expect(await ground.give({ id: 'intent-2', steps })).toMatchObject({ displaced: 'intent-1' });
  expect(ground.there.begun).toEqual(['remove roster:old']);
  gate.resolve();
  expect(await ground.over()).toMatchObject({ id: 'intent-2', state: 'done' });
  expect(ground.there.begun).toEqual(['remove roster:old', 'roster']);
});

test.each([
  [
    'was removed',
    (host: SimulatedCell) => host.removeHost('W-jarvis'),
    /W-jarvis\/user\/u, who gave it, was removed or/,
  ],
  ['may not deploy there any more', (host: SimulatedCell) => host.allow('W-jarvis', []), /may not deploy elsewhere/],
])('an intent whose giver %s by then is stopped, and says so', async (_, withdraw, words) => {
  const jarvis = ground.cell.as(await ground.cell.host('W-jarvis'));
  const dragon = await ground.away();
  await ground.cell.allow('W-jarvis', ['deploy']);
  await ground.give({}, jarvis);
  await withdraw(ground.cell);
  dragon.start();
  expect(await ground.over()).toMatchObject({ state: 'stopped', reason: expect.stringMatching(words) });
  expect(ground.there.begun).toEqual([]);
});

test('what waits for a host that is removed goes with it', async () => {
  await ground.away();
  await ground.give();
  await ground.cell.removeHost('dragon-lin');
  const again = await ground.cell.host('dragon-lin', { calls: ground.there.calls });
  expect((await failureOf(ground.look(ground.cell.as(again)))).code).toBe(status.NOT_FOUND);
  await ground.give({ expiresMs: 60_000, id: 'intent-2' });
  expect(await ground.over()).toMatchObject({ id: 'intent-2', state: 'done' });
});

test('what waits for a host is not given to another machine that takes its name', async () => {
  await ground.away();
  await ground.give();
  await ground.cell.host('dragon-lin', {
    calls: ground.there.calls,
    folder: ground.cell.elsewhere,
    machineId: 'new',
    replace: true,
  });
  expect((await failureOf(ground.look())).code).toBe(status.NOT_FOUND);
  expect(ground.there.begun).toEqual([]);
});

test('a clock that jumps past its end, or back before it was given, ends an intent that waits', async () => {
  await ground.cell.end();
  let aheadMs = 0;
  ground.cell = await SimulatedCell.start({ clock: { ...systemClock, nowMs: () => Date.now() + aheadMs } });
  const dragon = await ground.away();
  await ground.give();
  aheadMs = -3_600_000;
  await ground.cell.controller.stop();
  await ground.cell.controller.begin();
  // Given in what is now the future: how much of its time has passed is not known any more.
  expect(await ground.over()).toMatchObject({ state: 'expired' });
  await ground.give({ id: 'intent-2' });
  aheadMs += 25 * 3_600_000;
  expect(await ground.over()).toMatchObject({ id: 'intent-2', state: 'expired' });
  dragon.start();
  await until(async () => (await ground.cell.controller.link(DRAGON)) === 'connected null', SOON);
  expect(ground.there.begun).toEqual([]);
});
