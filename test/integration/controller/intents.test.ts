import { once } from 'node:events';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Behind } from '../../../src/domain/intent.ts';
import { rosterDigest } from '../../../src/roster/digest.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import type { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import type { IntentState, IntentStep, PutIntentRequest } from '../../../src/wire/gen/fleet/v1/intent.ts';
import type { WatchAgentsResponse } from '../../../src/wire/gen/fleet/v1/view.ts';
import { controlAgent, putRoster, RosterHost } from '../../helpers/roster-host.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
const DRAGON = 'dragon-lin/u';
const TEXT = 'version: 2\nagents: [{ name: coder, runtime: pi }] # my secret plan\n';

let cell: SimulatedCell;
let there: RosterHost;
beforeEach(async () => {
  cell = await SimulatedCell.start();
  there = new RosterHost();
});
afterEach(() => cell?.end());

const STEPS: IntentStep[] = [
  { controlAgent: controlAgent(DRAGON, 'remove', 'old') },
  { putRoster: putRoster(DRAGON, TEXT) },
  { controlAgent: controlAgent(DRAGON, 'deploy', 'coder', { rosterDigest: rosterDigest(TEXT) }) },
];

const intent = (over: Partial<PutIntentRequest> = {}): PutIntentRequest => ({
  id: 'intent-1',
  hostAgent: DRAGON,
  expiresMs: 0,
  steps: STEPS,
  ...over,
});

const give = (client: FleetServiceClient, over: Partial<PutIntentRequest> = {}): Promise<IntentState> =>
  unary((done) => client.putIntent(intent(over), done));
const look = (client = cell.admin()): Promise<IntentState> =>
  unary((done) => client.getIntent({ hostAgent: DRAGON }, done));
const over = async (): Promise<IntentState> =>
  await until(async () => {
    const state = await look();
    return ['waiting', 'running'].includes(state.state) ? null : state;
  }, SOON);
const behind = async (): Promise<Behind | null | undefined> =>
  (await cell.controller.view()).momentOf(DRAGON, 0)?.host.behind;

test('what a host that is away shall be told waits, is shown, and is given in order when it is back', async () => {
  const dragon = await cell.away('dragon-lin', { calls: there.calls });
  const given = await give(cell.admin());
  expect(given).toMatchObject({ state: 'waiting', displaced: '', hostAgent: DRAGON, endedMs: 0 });
  expect(given.expiresMs - given.givenMs).toBe(24 * 3_600_000);
  expect(given.steps.map(({ verb, address, outcome }) => `${verb} ${address} ${outcome}`)).toEqual([
    'remove home/dragon-lin/u/old ',
    'roster home/dragon-lin/u ',
    'deploy home/dragon-lin/u/coder ',
  ]);
  expect(await behind()).toMatchObject({ state: 'waiting', reason: '' });
  dragon.start();
  const { state, reason, steps } = await over();
  expect([state, reason]).toEqual(['done', '']);
  expect(steps.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done']);
  expect(there.begun).toEqual(['remove roster:old', 'roster', 'deploy roster:coder']);
  expect(there.text).toBe(TEXT);
  expect(await behind()).toBeNull();
});

test('a roster that is another by then stops the intent, and what was planned against it is not given', async () => {
  const dragon = await cell.away('dragon-lin', { calls: there.calls });
  there.text = 'version: 1\n';
  await give(cell.admin());
  dragon.start();
  const { state, reason, steps } = await over();
  expect(state).toBe('stopped');
  expect(reason).toBe('step 2, the roster, ended refused: roster.yaml is another by now');
  expect(steps.map(({ outcome }) => outcome)).toEqual(['done', 'refused', '']);
  expect(there.begun).toEqual(['remove roster:old', 'roster']);
  expect(await behind()).toMatchObject({ state: 'stopped', reason, expiresInMs: null });
  // Seen and laid aside.
  expect(await give(cell.admin(), { steps: [] })).toMatchObject({ state: 'withdrawn' });
  expect(await behind()).toBeNull();
});

test('what was applied after its end makes up for one that stopped', async () => {
  const dragon = await cell.away('dragon-lin', { calls: there.calls });
  there.text = 'version: 1\n';
  await give(cell.admin());
  dragon.start();
  expect((await over()).state).toBe('stopped');
  const put = putRoster(DRAGON, TEXT, { id: 'by-hand', expectedDigest: rosterDigest(there.text) });
  await unary((done) => cell.admin().putRoster(put, done));
  expect(await behind()).toBeNull();
  expect(await look()).toMatchObject({ state: 'stopped' });
});

test('an agent that cannot be told skips what follows for that agent, and nothing else', async () => {
  const dragon = await cell.away('dragon-lin', { calls: there.calls });
  there.outcomes['deploy roster:coder'] = 'failed';
  const again: IntentStep = { controlAgent: controlAgent(DRAGON, 'start', 'coder') };
  const other: IntentStep = { controlAgent: controlAgent(DRAGON, 'deploy', 'reviewer') };
  await give(cell.admin(), { steps: [...STEPS, again, other] });
  dragon.start();
  const { state, reason, steps } = await over();
  expect([state, reason]).toEqual(['done', '2 of 5 steps did not end well']);
  expect(steps.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'failed', 'skipped', 'done']);
  expect(there.begun).toEqual(['remove roster:old', 'roster', 'deploy roster:coder', 'deploy roster:reviewer']);
});

test('an agent that could not be removed stays in the roster, where the next apply finds it', async () => {
  const dragon = await cell.away('dragon-lin', { calls: there.calls });
  there.outcomes['remove roster:old'] = 'failed';
  await give(cell.admin());
  dragon.start();
  const { state, reason, steps } = await over();
  expect([state, reason]).toEqual(['stopped', 'step 1, a removal, ended failed: its agent stays in the roster']);
  expect(steps.map(({ outcome }) => outcome)).toEqual(['failed', '', '']);
  expect(there.begun).toEqual(['remove roster:old']);
});

test('an intent whose time is over is never carried out, and the host is shown as behind', async () => {
  const dragon = await cell.away('dragon-lin', { calls: there.calls });
  await give(cell.admin(), { expiresMs: 300 });
  expect(await over()).toMatchObject({ state: 'expired', reason: '0 of 3 steps were given in its time' });
  expect(await behind()).toMatchObject({ state: 'expired', expiresInMs: null });
  dragon.start();
  await until(async () => (await cell.controller.link(DRAGON)) === 'connected null', SOON);
  expect(there.begun).toEqual([]);
});

test('time that runs out in the middle ends it there', async () => {
  const dragon = await cell.away('dragon-lin', { calls: there.calls });
  const gate = Promise.withResolvers<void>();
  there.gate = (what) => (what === 'roster' ? gate.promise : Promise.resolve());
  const { expiresMs } = await give(cell.admin(), { expiresMs: 3_000 });
  dragon.start();
  await until(() => there.begun.includes('roster'), SOON);
  expect(await look()).toMatchObject({ state: 'running' });
  expect(await behind()).toMatchObject({ state: 'running' });
  await until(() => Date.now() > expiresMs, SOON);
  gate.resolve();
  expect(await over()).toMatchObject({ state: 'expired', reason: '2 of 3 steps were given in its time' });
  expect(there.begun).toEqual(['remove roster:old', 'roster']);
});

test('an intent is withdrawn by its id, or whichever waits, and then never given', async () => {
  const dragon = await cell.away('dragon-lin', { calls: there.calls });
  await give(cell.admin());
  expect((await failureOf(give(cell.admin(), { id: 'another', steps: [] }))).code).toBe(status.NOT_FOUND);
  const withdrawn = await give(cell.admin(), { steps: [] });
  expect(withdrawn).toMatchObject({ id: 'intent-1', state: 'withdrawn', reason: 'by local:admin socket' });
  expect(await give(cell.admin(), { id: '', steps: [] })).toEqual(withdrawn);
  expect(await behind()).toBeNull();
  dragon.start();
  await until(async () => (await cell.controller.link(DRAGON)) === 'connected null', SOON);
  expect(there.begun).toEqual([]);
});

test('a newer intent takes the place of the one that waits, and says of which', async () => {
  const dragon = await cell.away('dragon-lin', { calls: there.calls });
  const first = await give(cell.admin());
  expect(await give(cell.admin())).toEqual(first);
  expect((await failureOf(give(cell.admin(), { expiresMs: 1_000 }))).code).toBe(status.ALREADY_EXISTS);
  const steps: IntentStep[] = [{ putRoster: putRoster(DRAGON, 'version: 2\n', { id: 'roster-2' }) }];
  expect(await give(cell.admin(), { id: 'intent-2', steps })).toMatchObject({
    state: 'waiting',
    displaced: 'intent-1',
  });
  dragon.start();
  expect(await over()).toMatchObject({ id: 'intent-2', state: 'done' });
  expect(there.begun).toEqual(['roster']);
  expect(there.text).toBe('version: 2\n');
  // One that is over is no more displaced than repeated.
  expect(await give(cell.admin(), { id: 'intent-2', steps })).toMatchObject({ state: 'done' });
  expect(await give(cell.admin(), { id: 'intent-3', expiresMs: 60_000 })).toMatchObject({ displaced: '' });
});

test('one that is given while another is under way begins when that step is over, never beside it', async () => {
  await cell.host('dragon-lin', { calls: there.calls });
  const gate = Promise.withResolvers<void>();
  there.gate = (what) => (what === 'remove roster:old' ? gate.promise : Promise.resolve());
  await give(cell.admin());
  await until(() => there.begun.length === 1, SOON);
  const steps: IntentStep[] = [{ putRoster: putRoster(DRAGON, TEXT, { id: 'roster-2' }) }];
  expect(await give(cell.admin(), { id: 'intent-2', steps })).toMatchObject({ displaced: 'intent-1' });
  expect(there.begun).toEqual(['remove roster:old']);
  gate.resolve();
  expect(await over()).toMatchObject({ id: 'intent-2', state: 'done' });
  expect(there.begun).toEqual(['remove roster:old', 'roster']);
});

test('a controller that is restarted in the middle goes on, and nothing is done twice', async () => {
  const dragon = await cell.away('dragon-lin', { calls: there.calls });
  const gate = Promise.withResolvers<void>();
  there.gate = (what) => (what === 'roster' ? gate.promise : Promise.resolve());
  await give(cell.admin());
  dragon.start();
  await until(() => there.begun.includes('roster'), SOON);
  await cell.controller.stop();
  gate.resolve();
  await cell.controller.begin();
  const { state, steps } = await over();
  expect(state).toBe('done');
  expect(steps.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done']);
  expect(there.begun).toEqual(['remove roster:old', 'roster', 'deploy roster:coder']);
});

test('a line that breaks in the middle leaves the rest waiting, for the same host-agent when it is back', async () => {
  const proxy = await cell.proxy();
  const dragon = await cell.away('dragon-lin', { calls: there.calls, dials: [`127.0.0.1:${proxy.port}`] });
  const gate = Promise.withResolvers<void>();
  there.gate = (what) => (what === 'roster' ? gate.promise : Promise.resolve());
  await give(cell.admin());
  dragon.start();
  await until(() => there.begun.includes('roster'), SOON);
  proxy.cut();
  await until(async () => (await look()).state === 'waiting', SOON);
  expect((await look()).steps.map(({ outcome }) => outcome)).toEqual(['done', '', '']);
  gate.resolve();
  proxy.mend();
  expect(await over()).toMatchObject({ state: 'done', reason: '' });
  expect(there.begun).toEqual(['remove roster:old', 'roster', 'deploy roster:coder']);
});

test.each([
  [
    'was removed',
    (host: SimulatedCell) => host.removeHost('W-jarvis'),
    /W-jarvis\/user\/u, who gave it, was removed or/,
  ],
  ['may not deploy there any more', (host: SimulatedCell) => host.allow('W-jarvis', []), /may not deploy elsewhere/],
])('an intent whose giver %s by then is stopped, and says so', async (_, withdraw, words) => {
  const jarvis = cell.as(await cell.host('W-jarvis'));
  const dragon = await cell.away('dragon-lin', { calls: there.calls });
  await cell.allow('W-jarvis', ['deploy']);
  await give(jarvis);
  await withdraw(cell);
  dragon.start();
  expect(await over()).toMatchObject({ state: 'stopped', reason: expect.stringMatching(words) });
  expect(there.begun).toEqual([]);
});

test('an intent is given on behalf of its giver, as if it called then', async () => {
  const jarvis = cell.as(await cell.host('W-jarvis'));
  await cell.allow('W-jarvis', ['deploy']);
  const dragon = await cell.away('dragon-lin', { calls: there.calls });
  await give(jarvis);
  dragon.start();
  expect((await over()).state).toBe('done');
  const actor = 'spiffe://home/host/W-jarvis/user/u';
  expect(new Set(there.origins.map((origin) => origin.actor))).toEqual(new Set([actor]));
  expect(await unary((done) => jarvis.getOrder({ id: 'roster-1' }, done))).toMatchObject({ outcome: 'done', actor });
});

test('another tenant’s intent cannot be seen, taken back, or told from none', async () => {
  const theirs = cell.as(await cell.host('theirs', { tenantId: 'theirs' }));
  await cell.allow('theirs', ['deploy']);
  await cell.away('dragon-lin', { tenantId: 'ours', calls: there.calls });
  await give(cell.admin());
  const nowhere = unary((done) => theirs.getIntent({ hostAgent: 'nowhere/u' }, done));
  const failures = await Promise.all([
    failureOf(nowhere),
    failureOf(look(theirs)),
    failureOf(give(theirs, { steps: [] })),
    failureOf(give(theirs)),
  ]);
  expect(new Set(failures.map(({ code, details }) => `${code} ${details}`))).toEqual(
    new Set([`${status.NOT_FOUND} no such host: see "fleet hosts"`]),
  );
  expect(await look()).toMatchObject({ state: 'waiting' });
  const shown: string[] = [];
  const request = { follow: false, resumeToken: '', localOnly: false, hostsOnly: true };
  const view = theirs.watchAgents(request);
  view.on('data', ({ changes }: WatchAgentsResponse) => {
    shown.push(...(changes?.hostAgents ?? []).map(({ id, behind }) => `${id} ${behind?.state}`));
  });
  await once(view, 'end');
  expect(new Set(shown)).toEqual(new Set(['theirs/u undefined']));
});

test('what waits for a host that is removed goes with it', async () => {
  await cell.away('dragon-lin', { calls: there.calls });
  await give(cell.admin());
  await cell.removeHost('dragon-lin');
  const again = await cell.host('dragon-lin', { calls: there.calls });
  expect((await failureOf(look(cell.as(again)))).code).toBe(status.NOT_FOUND);
  await give(cell.admin(), { expiresMs: 60_000, id: 'intent-2' });
  expect(await over()).toMatchObject({ id: 'intent-2', state: 'done' });
});

test('what waits for a host is not given to another machine that takes its name', async () => {
  await cell.away('dragon-lin', { calls: there.calls });
  await give(cell.admin());
  await cell.host('dragon-lin', { calls: there.calls, folder: cell.elsewhere, machineId: 'new', replace: true });
  expect((await failureOf(look())).code).toBe(status.NOT_FOUND);
  expect(there.begun).toEqual([]);
});

const control = (action: string, target = DRAGON): IntentStep => ({ controlAgent: controlAgent(target, action, 'x') });
test.each<[string, Partial<PutIntentRequest>, RegExp]>([
  ['lasts longer than a week', { expiresMs: 8 * 24 * 3_600_000 }, /at most 7 days/],
  ['lasts no number', { expiresMs: Number.NaN }, /at most 7 days/],
  ['has too many steps', { steps: Array(1_001).fill(control('deploy')) }, /1001 steps; at most 1000/],
  ['is too large', { steps: [{ putRoster: putRoster(DRAGON, 'x'.repeat(512 * 1024)) }] }, /at most 524288/],
  ['has a step for another host', { steps: [control('deploy', 'W-jarvis/u')] }, /step 1 is not for dragon-lin\/u/],
  ['types into an agent', { steps: [control('reset')] }, /step 1 is "reset"/],
  ['names two orders alike', { steps: [control('deploy'), control('deploy')] }, /two steps of the intent have one id/],
  ['has a step that says nothing', { steps: [{}] }, /step 1 is no order/],
  ['has no id', { id: '' }, /id is 1 to 128/],
])('an intent that %s is refused, and nothing waits', async (_, wish, words) => {
  await cell.away('dragon-lin', { calls: there.calls });
  const failure = await failureOf(give(cell.admin(), wish));
  expect([failure.code, failure.details]).toEqual([status.INVALID_ARGUMENT, expect.stringMatching(words)]);
  expect((await failureOf(look())).details).toBe('no such intent is kept for dragon-lin/u');
});

test('a clock that jumps past its end, or back before it was given, ends an intent that waits', async () => {
  await cell.end();
  let aheadMs = 0;
  cell = await SimulatedCell.start({ clock: { ...systemClock, nowMs: () => Date.now() + aheadMs } });
  const dragon = await cell.away('dragon-lin', { calls: there.calls });
  await give(cell.admin());
  aheadMs = -3_600_000;
  await cell.controller.stop();
  await cell.controller.begin();
  // Given in what is now the future: how much of its time has passed is not known any more.
  expect(await over()).toMatchObject({ state: 'expired' });
  await give(cell.admin(), { id: 'intent-2' });
  aheadMs += 25 * 3_600_000;
  expect(await over()).toMatchObject({ id: 'intent-2', state: 'expired' });
  dragon.start();
  await until(async () => (await cell.controller.link(DRAGON)) === 'connected null', SOON);
  expect(there.begun).toEqual([]);
});

test('a host-agent’s socket passes intents on, as its user and within its ceiling', async () => {
  const client = await cell.hostAgent('W-jarvis');
  const dragon = await cell.away('dragon-lin', { calls: there.calls });
  expect((await failureOf(give(client))).details).toContain('"fleet host allow W-jarvis deploy"');
  await cell.allow('W-jarvis', ['deploy']);
  expect(await give(client)).toMatchObject({ state: 'waiting', actor: expect.stringMatching(/host\/W-jarvis\/user/) });
  dragon.start();
  await until(async () => (await look(client)).state === 'done', SOON);
});
