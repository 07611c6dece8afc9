/** Where a message is not typed at all, and why; each time nothing of it has reached the pane. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PaneLocks } from '../../../../host-agent/command/pane-lock.ts';
import { until } from '../../../helpers/until.ts';
import { fromHere, OrderGround } from './order-ground.ts';

const LATER = { timeoutMs: 30_000 };

test('one who waits for idle types nothing into an agent that stays busy', async () => {
  await using ground = new OrderGround();
  const agent = await ground.claude('busy');
  const outcome = await agent.send(ground.orders(), 'only when idle', { waitIdleMs: 1_200 });
  expect(outcome).toMatchObject({ outcome: 'busy', reason: 'the agent is still working' });
  expect(agent.bytes()).toBe('');
});

test('a prompt is never typed into', async () => {
  await using ground = new OrderGround();
  const agent = await ground.claude('menu');
  const outcome = await agent.send(ground.orders(), '1');
  expect(outcome.outcome).toBe('blocked');
  expect(outcome.reason).toContain('approval');
  expect(agent.bytes()).toBe('');
});

test('a person’s draft is left as it is', async () => {
  await using ground = new OrderGround();
  const agent = await ground.claude('draft');
  expect((await agent.send(ground.orders(), 'mine')).outcome).toBe('human-draft');
  expect(agent.bytes()).toBe('');
});

test('a draft of a person in a program without rules is seen by its prompt', async () => {
  await using ground = new OrderGround();
  const agent = await ground.stub('prompt');
  ground.run('send-keys', '-t', agent.pane.paneId, '-l', 'half a thought');
  await until(() => agent.screen().includes('half a thought'), LATER);
  expect((await agent.send(ground.orders(), 'mine')).outcome).toBe('human-draft');
  expect(agent.messages()).toEqual([]);
});

test('copy mode, input switched off and tied panes are refused', async () => {
  await using ground = new OrderGround();
  const orders = ground.orders();
  const agent = await ground.claude();
  const { paneId } = agent.pane;
  const refused: [string, string[], string[]][] = [
    ['busy', ['copy-mode', '-t', paneId], ['copy-mode', '-q', '-t', paneId]],
    ['busy', ['select-pane', '-d', '-t', paneId], ['select-pane', '-e', '-t', paneId]],
    [
      'refused',
      ['set', '-w', '-t', paneId, 'synchronize-panes', 'on'],
      ['set', '-w', '-t', paneId, 'synchronize-panes', 'off'],
    ],
  ];
  for (const [outcome, on, off] of refused) {
    ground.run(...on);
    expect((await agent.send(orders, 'not now')).outcome, on.join(' ')).toBe(outcome);
    ground.run(...off);
  }
  expect(agent.bytes()).toBe('');
  expect((await agent.send(orders, 'now')).outcome).toBe('accepted');
});

test('another life of the pane, a dead pane and none at all are gone', async () => {
  await using ground = new OrderGround();
  const orders = ground.orders();
  const agent = await ground.claude();
  const old = agent.message('for the one before');
  ground.run('set', '-g', 'remain-on-exit', 'on');
  process.kill(agent.pid, 'SIGUSR2');
  await until(() => ground.run('display-message', '-p', '-t', agent.pane.paneId, '#{pane_dead}') === '1', LATER);
  expect((await orders.sendText(agent.message('to the dead'), fromHere())).outcome).toBe('gone');
  ground.run('respawn-pane', '-t', agent.pane.paneId);
  expect((await orders.sendText(agent.message('not yet known'), fromHere())).outcome).toBe('gone');
  ground.know(agent);
  expect((await orders.sendText(old, fromHere())).outcome).toBe('gone');
  ground.rows.delete(agent.name);
  expect((await orders.sendText(agent.message('to nobody'), fromHere())).outcome).toBe('gone');
  expect(agent.bytes()).toBe('');
});

test('no shell ever runs a message', async () => {
  await using ground = new OrderGround();
  const orders = ground.orders();
  const marker = join(ground.folder, 'it-ran');
  const attack = `x; touch ${marker}`;
  const shell = await ground.program(`PS1='$ ' exec sh -i`);
  await until(() => shell.screen().includes('$'), LATER);
  expect((await shell.send(orders, attack)).outcome).toBe('not-a-runtime');

  const left = await ground.claude('', 'shell');
  process.kill(left.pid, 'SIGUSR2');
  await until(() => left.screen().includes('$'), LATER);
  expect((await left.send(orders, attack)).outcome).toBe('not-a-runtime');

  const dying = await ground.claude('die-on-paste', 'shell');
  const outcome = await dying.send(orders, attack, { timeoutMs: 6_000 });
  expect(['unverifiable', 'draft']).toContain(outcome.outcome);
  await until(() => dying.screen().includes('$'), LATER);
  expect(dying.bytes()).not.toContain('\r');
  expect(existsSync(marker)).toBe(false);
});

test('a keyboard that somebody took over is left to them', async () => {
  await using ground = new OrderGround();
  const agent = await ground.claude();
  ground.writers.set(agent.name, 'anna@dragon-lin');
  const outcome = await agent.send(ground.orders(), 'may I');
  expect(outcome).toMatchObject({ outcome: 'busy', reason: 'anna@dragon-lin has taken it over' });
  ground.policy = { ...ground.policy, federated: 'send' };
  const unnamed = await ground.orders().sendText(agent.message('may we'), fromHere(undefined, true));
  expect(unnamed).toMatchObject({ outcome: 'busy', reason: 'somebody has taken it over' });
  expect(agent.bytes()).toBe('');
});

test('the host’s policy has the last word, and callers of other cells have their own', async () => {
  await using ground = new OrderGround();
  const orders = ground.orders();
  const agent = await ground.claude();
  ground.policy = { ...ground.policy, control: 'observe' };
  const outcome = await agent.send(orders, 'not here');
  expect(outcome.outcome).toBe('refused');
  expect(outcome.reason).toContain('host-policy.json');
  ground.policy = { ...ground.policy, control: 'send', federated: 'observe' };
  const stranger = await orders.sendText(agent.message('from afar'), fromHere(undefined, true));
  expect(stranger.outcome).toBe('refused');
  expect(agent.bytes()).toBe('');
  expect((await agent.send(orders, 'here')).outcome).toBe('accepted');
});

test('a policy that changes while an order waits counts for it, too', async () => {
  await using ground = new OrderGround();
  const orders = ground.orders();
  const agent = await ground.claude();
  const turn = await new PaneLocks(join(ground.folder, 'panes')).take(agent.pane, AbortSignal.timeout(30_000));
  const request = agent.message('too late', { timeoutMs: 30_000 });
  const sending = orders.sendText(request, fromHere());
  await until(async () => (await orders.getOrder({ id: request.id }, fromHere())).outcome === 'pending', LATER);
  ground.policy = { ...ground.policy, control: 'observe' };
  turn[Symbol.dispose]();
  expect((await sending).outcome).toBe('refused');
  expect(agent.bytes()).toBe('');
});
