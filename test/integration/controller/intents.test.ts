import { chmodSync, cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { rosterDigest } from '../../../src/roster/digest.ts';
import type { IntentStep } from '../../../src/wire/gen/fleet/v1/intent.ts';
import { controlAgent, putRoster } from '../../helpers/roster-host.ts';
import { runCommand } from '../../helpers/run-command.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';
import { DRAGON, IntentGround, SOON, STEPS, TEXT } from './intent-ground.ts';

let ground: IntentGround;
beforeEach(async () => {
  ground = await IntentGround.start();
});
afterEach(() => ground?.end());

test('what a host that is away shall be told waits, is shown, and is given in order when it is back', async () => {
  const dragon = await ground.away();
  const given = await ground.give();
  expect(given).toMatchObject({ state: 'waiting', displaced: '', hostAgent: DRAGON, endedMs: 0 });
  expect(given.expiresMs - given.givenMs).toBe(24 * 3_600_000);
  expect(given.steps.map(({ verb, address, outcome }) => `${verb} ${address} ${outcome}`)).toEqual([
    'remove home/dragon-lin/u/old ',
    'roster home/dragon-lin/u ',
    'deploy home/dragon-lin/u/coder ',
  ]);
  expect(await ground.behind()).toMatchObject({ state: 'waiting', reason: '' });
  dragon.start();
  const { state, reason, steps } = await ground.over();
  expect([state, reason]).toEqual(['done', '']);
  expect(steps.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done']);
  expect(ground.there.begun).toEqual(['remove roster:old', 'roster', 'deploy roster:coder']);
  expect(ground.there.text).toBe(TEXT);
  expect(await ground.behind()).toBeNull();
});

test('a roster that is another by then stops the intent, and what was planned against it is not given', async () => {
  const dragon = await ground.away();
  ground.there.text = 'version: 1\n';
  await ground.give();
  dragon.start();
  const { state, reason, steps } = await ground.over();
  expect(state).toBe('stopped');
  expect(reason).toBe('step 2, the roster, ended refused: roster.yaml is another by now');
  expect(steps.map(({ outcome }) => outcome)).toEqual(['done', 'refused', '']);
  expect(ground.there.begun).toEqual(['remove roster:old', 'roster']);
  expect(await ground.behind()).toMatchObject({ state: 'stopped', reason, expiresInMs: null });
  // Seen and laid aside.
  expect(await ground.give({ steps: [] })).toMatchObject({ state: 'withdrawn' });
  expect(await ground.behind()).toBeNull();
});

test('what was applied after its end makes up for one that stopped', async () => {
  const dragon = await ground.away();
  ground.there.text = 'version: 1\n';
  await ground.give();
  dragon.start();
  expect((await ground.over()).state).toBe('stopped');
  const put = putRoster(DRAGON, TEXT, { id: 'by-hand', expectedDigest: rosterDigest(ground.there.text) });
  await unary((done) => ground.cell.admin().putRoster(put, done));
  expect(await ground.behind()).toBeNull();
  expect(await ground.look()).toMatchObject({ state: 'stopped' });
});

test('an agent that cannot be told skips what follows for that agent, and nothing else', async () => {
  const dragon = await ground.away();
  ground.there.outcomes['deploy roster:coder'] = 'failed';
  const again: IntentStep = { controlAgent: controlAgent(DRAGON, 'start', 'coder') };
  const other: IntentStep = { controlAgent: controlAgent(DRAGON, 'deploy', 'reviewer') };
  await ground.give({ steps: [...STEPS, again, other] });
  dragon.start();
  const { state, reason, steps } = await ground.over();
  expect([state, reason]).toEqual(['done', '2 of 5 steps did not end well']);
  expect(steps.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'failed', 'skipped', 'done']);
  expect(ground.there.begun).toEqual(['remove roster:old', 'roster', 'deploy roster:coder', 'deploy roster:reviewer']);
});

test('an agent that could not be removed stays in the roster, where the next apply finds it', async () => {
  const dragon = await ground.away();
  ground.there.outcomes['remove roster:old'] = 'failed';
  await ground.give();
  dragon.start();
  const { state, reason, steps } = await ground.over();
  expect([state, reason]).toEqual(['stopped', 'step 1, a removal, ended failed: its agent stays in the roster']);
  expect(steps.map(({ outcome }) => outcome)).toEqual(['failed', '', '']);
  expect(ground.there.begun).toEqual(['remove roster:old']);
});

test('a controller that is restarted in the middle goes on, and nothing is done twice', async () => {
  const dragon = await ground.away();
  const gate = Promise.withResolvers<void>();
  ground.there.gate = (what) => (what === 'roster' ? gate.promise : Promise.resolve());
  await ground.give();
  dragon.start();
  await until(() => ground.there.begun.includes('roster'), SOON);
  await ground.cell.controller.stop();
  gate.resolve();
  await ground.cell.controller.begin();
  const { state, steps } = await ground.over();
  expect(state).toBe('done');
  expect(steps.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done']);
  expect(ground.there.begun).toEqual(['remove roster:old', 'roster', 'deploy roster:coder']);
});

/** What the audit says of the steps that wrote a roster, the oldest first. */
const told = async () => {
  const { stdout } = await runCommand(ground.cell.controller.config.paths, 'audit', '--since', '1h', '-o', 'ndjson');
  const records = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return records
    .filter(({ verb, call }) => verb.endsWith('PutRoster') && call !== null)
    .map(({ outcome, reason, order }) => `${outcome} ${order} ${reason}`)
    .reverse();
};

test('a line that breaks in the middle leaves the rest waiting, for the same host-agent when it is back', async () => {
  const proxy = await ground.cell.proxy();
  const dragon = await ground.away({ dials: [`127.0.0.1:${proxy.port}`] });
  const gate = Promise.withResolvers<void>();
  ground.there.gate = (what) => (what === 'roster' ? gate.promise : Promise.resolve());
  await ground.give();
  dragon.start();
  await until(() => ground.there.begun.includes('roster'), SOON);
  proxy.cut();
  await until(async () => (await ground.look()).state === 'waiting', SOON);
  expect((await ground.look()).steps.map(({ outcome }) => outcome)).toEqual(['done', '', '']);
  const order = STEPS[1]?.putRoster?.id ?? '';
  const cutOff = `ended ${order} intent intent-1, step 2: unknown: its host cannot be heard`;
  await until(async () => (await told()).includes(cutOff), SOON);
  gate.resolve();
  proxy.mend();
  expect(await ground.over()).toMatchObject({ state: 'done', reason: '' });
  expect(ground.there.begun).toEqual(['remove roster:old', 'roster', 'deploy roster:coder']);
});

test('an intent is given on behalf of its giver, as if it called then', async () => {
  const jarvis = ground.cell.as(await ground.cell.host('W-jarvis'));
  await ground.cell.allow('W-jarvis', ['deploy']);
  const dragon = await ground.away();
  await ground.give({}, jarvis);
  dragon.start();
  expect((await ground.over()).state).toBe('done');
  const actor = 'spiffe://home/host/W-jarvis/user/u';
  expect(new Set(ground.there.origins.map((origin) => origin.actor))).toEqual(new Set([actor]));
  expect(await unary((done) => jarvis.getOrder({ id: 'roster-1' }, done))).toMatchObject({ outcome: 'done', actor });
});

test('a host-agent’s socket passes intents on, as its user and within its ceiling', async () => {
  const client = await ground.cell.hostAgent('W-jarvis');
  const dragon = await ground.away();
  expect((await failureOf(ground.give({}, client))).details).toContain('"fleet host allow W-jarvis deploy"');
  await ground.cell.allow('W-jarvis', ['deploy']);
  expect(await ground.give({}, client)).toMatchObject({
    state: 'waiting',
    actor: expect.stringMatching(/host\/W-jarvis\/user/),
  });
  dragon.start();
  await until(async () => (await ground.look(client)).state === 'done', SOON);
});

describe('the audit of a step in whose midst its controller ended', () => {
  /** Under way at the host, and nothing has been heard of it. */
  const midst = async () => {
    const gate = Promise.withResolvers<void>();
    ground.there.gate = (what) => (what === 'roster' ? gate.promise : Promise.resolve());
    await ground.away().then((dragon) => dragon.start());
    await ground.give();
    await until(() => ground.there.begun.includes('roster'), SOON);
    return gate;
  };
  /** Once it is done, each that was begun with its end. A host that is not ready yet is tried again. */
  const settled = () =>
    until(async () => {
      const lines = await told();
      const open = lines.filter((line) => line.startsWith('allowed')).length * 2 - lines.length;
      return open === 0 && lines.some((line) => line.startsWith('done')) && lines;
    }, SOON);

  const begun = (order: string) => `allowed ${order} intent intent-1, step 2`;

  test('is closed by the next one where it was killed, and what came of it is told then', async () => {
    const gate = await midst();
    const { controller } = ground.cell;
    const folder = join(controller.config.paths.state, 'controller');
    // As a kill at this moment leaves it.
    cpSync(folder, `${folder}.killed`, { recursive: true });
    await controller.stop();
    rmSync(folder, { recursive: true });
    renameSync(`${folder}.killed`, folder);
    chmodSync(folder, 0o700);
    gate.resolve();
    await controller.begin();
    expect((await ground.over()).state).toBe('done');
    const order = STEPS[1]?.putRoster?.id ?? '';
    const lines = await settled();
    expect(lines).toEqual(expect.arrayContaining([begun(order), `done ${order} intent intent-1, step 2: done`]));
    expect(lines.filter((line) => line.startsWith('ended'))).toEqual([
      `ended ${order} unknown: the controller ended first`,
    ]);
  });

  test('says so itself where it was stopped', async () => {
    const gate = await midst();
    await ground.cell.controller.stop();
    gate.resolve();
    await ground.cell.controller.begin();
    expect((await ground.over()).state).toBe('done');
    const lines = await settled();
    expect(lines.filter((line) => line.startsWith('ended'))).toEqual([
      expect.stringMatching(/intent intent-1, step 2: unknown: the controller stopped$/),
    ]);
  });
});
