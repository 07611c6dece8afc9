import { expect, test } from 'vitest';
import { until } from '../../../helpers/until.ts';
import { fromHere, OrderGround } from './order-ground.ts';

const LATER = { timeoutMs: 30_000 };

test('exactly the prompt that was shown is answered, and it is seen to go', async () => {
  await using ground = new OrderGround();
  const agent = await ground.claude('menu');
  const { promptId, choices } = await agent.prompt();
  expect(choices.map(({ name }) => name)).toEqual(['1', '2', '3']);
  const outcome = await ground.orders().answerPrompt(agent.answer('no', promptId), fromHere());
  expect(outcome).toMatchObject({ outcome: 'done', verb: 'answer' });
  expect(agent.said()).toEqual([{ choice: 'No', of: 'rm -rf build' }]);
  expect(agent.bytes()).toBe('3');
});

test('a menu without digits is gone through step by step', async () => {
  await using ground = new OrderGround();
  const agent = await ground.claude('trust');
  const { promptId } = await agent.prompt();
  const outcome = await ground.orders().answerPrompt(agent.answer('yes', promptId), fromHere());
  expect(outcome.outcome).toBe('done');
  expect(agent.bytes()).toBe('\x1b[B\r');
  expect(agent.said()).toContainEqual({ choice: 'Yes, I trust this folder', of: 'trust' });
});

test('a prompt that changed since it was looked at gets no key', async () => {
  await using ground = new OrderGround();
  const orders = ground.orders();
  const agent = await ground.claude('menu');
  const { promptId } = await agent.prompt();
  process.kill(agent.pid, 'SIGUSR1');
  const other = await agent.whenPrompt((reading) => reading.promptId !== '' && reading.promptId !== promptId);
  expect((await orders.answerPrompt(agent.answer('1', promptId), fromHere())).outcome).toBe('prompt-changed');
  const keys = await orders.pressKeys(agent.keys(['1'], { ifPrompt: promptId }), fromHere());
  expect(keys.outcome).toBe('prompt-changed');
  expect(agent.bytes()).toBe('');
  expect((await orders.answerPrompt(agent.answer('1', other.promptId), fromHere())).outcome).toBe('done');
  expect(agent.said()).toEqual([{ choice: 'Yes', of: 'git push --force' }]);
});

test('a prompt that is not there, and a choice that it does not have', async () => {
  await using ground = new OrderGround();
  const orders = ground.orders();
  const idle = await ground.claude();
  expect((await orders.answerPrompt(idle.answer('1', 'feedbeef'), fromHere())).outcome).toBe('prompt-changed');
  const asked = await ground.claude('menu');
  const { promptId } = await asked.prompt();
  expect((await orders.answerPrompt(asked.answer('9', promptId), fromHere())).outcome).toBe('refused');
  expect(idle.bytes() + asked.bytes()).toBe('');
});

test('keys that answer need the prompt’s name or --blind; keys that do not answer are pressed', async () => {
  await using ground = new OrderGround();
  const orders = ground.orders();
  const agent = await ground.claude('menu');
  for (const key of ['y', 'n', '1', 'Enter', 'Space']) {
    expect((await orders.pressKeys(agent.keys([key]), fromHere())).outcome, key).toBe('blocked');
  }
  expect(agent.bytes()).toBe('');
  expect((await orders.pressKeys(agent.keys(['Down', 'Up', 'Down']), fromHere())).outcome).toBe('done');
  expect((await orders.pressKeys(agent.keys(['enter'], { blind: true }), fromHere())).outcome).toBe('done');
  await until(() => agent.said().length > 0, LATER);
  expect(agent.said()).toContainEqual({ choice: 'Yes, and always', of: 'rm -rf build' });
});

test('the second key does not answer the prompt after the one that was named', async () => {
  await using ground = new OrderGround();
  const agent = await ground.claude('menu,menu-again');
  const { promptId } = await agent.prompt();
  const request = agent.keys(['1', 'Enter'], { ifPrompt: promptId });
  const outcome = await ground.orders().pressKeys(request, fromHere());
  await agent.whenPrompt((reading) => reading.promptId !== promptId);
  expect(agent.said()).toContainEqual({ choice: 'Yes', of: 'rm -rf build' });
  // Whether the second key came before the first was taken is the agent's doing; it must never be told as done twice.
  if (outcome.outcome === 'failed') expect(outcome.reason).toContain('typed 1 of 2 keys');
  else expect(outcome.outcome).toBe('done');
});

test('keys outside the list are refused before anything is typed', async () => {
  await using ground = new OrderGround();
  const orders = ground.orders();
  const agent = await ground.claude();
  for (const keys of [['C-d'], ['x'], ['rm -rf'], ['Enter', 'q'], ['C-c', 'C-c'], []]) {
    const pressed = async () => orders.pressKeys(agent.keys(keys), fromHere());
    await expect(pressed()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  }
  expect(agent.bytes()).toBe('');
});

test('no key goes to a shell', async () => {
  await using ground = new OrderGround();
  const shell = await ground.program(`PS1='$ ' exec sh -i`);
  await until(() => shell.screen().includes('$'), LATER);
  expect((await ground.orders().pressKeys(shell.keys(['Enter']), fromHere())).outcome).toBe('not-a-runtime');
});
