import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { HoldTerminalResponse } from '../../../src/wire/gen/fleet/v1/orders.ts';
import { until } from '../../helpers/until.ts';
import { fromHere, newId, OrderGround, type ScriptedAgent } from '../host-agent/command/order-ground.ts';
import type { HoldTask } from './hold-child.ts';
import { takeoverOf } from './hold-ground.ts';
import { SLOW } from './stage.ts';

const CHILD = new URL('./hold-child.ts', import.meta.url).pathname;

/** Held by a process of its own; disposed of by SIGKILL. */
const heldElsewhere = async (ground: OrderGround, agent: ScriptedAgent): Promise<AsyncDisposable> => {
  const child = spawn(process.execPath, [CHILD], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const task: HoldTask = { folder: ground.folder, agent: ground.rows.get(agent.name)! };
  child.stdin.write(`${JSON.stringify(task)}\n`);
  await until(() => said.includes('"granted"'), SLOW);
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
};

const holds = (ground: OrderGround, agent: ScriptedAgent) => {
  const takeover = takeoverOf(ground.folder, ground.rows);
  const hold = (takesOver = false) => {
    const leaving = new AbortController();
    const events: HoldTerminalResponse[] = [];
    const sink = { write: (event: HoldTerminalResponse) => events.push(event) > 0, drained: async () => undefined };
    const request = { id: newId(), target: agent.target, takeover: takesOver, width: 0, height: 0 };
    const ended = takeover.holdTerminal(request, sink, fromHere(leaving.signal));
    ended.catch(() => undefined);
    const granted = () => until(() => events.some((event) => event.granted), SLOW);
    return { events, ended, granted, leave: () => leaving.abort() };
  };
  return { takeover, hold };
};

test('a takeover by another host-agent keeps messages out until it ends, also by a kill', async () => {
  await using ground = new OrderGround();
  const agent = await ground.claude();
  const orders = ground.orders();
  const elsewhere = await heldElsewhere(ground, agent);
  try {
    expect(await agent.send(orders, 'not between', { timeoutMs: 4_000 })).toMatchObject({
      outcome: 'busy',
      reason: 'its pane did not come free: a takeover by local:jarvis types there',
    });
    expect(agent.bytes()).toBe('');
    const refused = holds(ground, agent).hold(true);
    await expect(refused.ended).rejects.toMatchObject({
      message: expect.stringMatching(/^busy: a takeover by local:jarvis types into this pane/),
    });
  } finally {
    await elsewhere[Symbol.asyncDispose]();
  }
  expect((await agent.send(orders, 'after the kill', { timeoutMs: 30_000 })).outcome).toBe('accepted');
  expect(agent.messages()).toEqual(['after the kill']);
});

test('senders of the same host-agent are told who types, and do not wait for the pane', async () => {
  await using ground = new OrderGround();
  const agent = await ground.claude();
  const { takeover, hold } = holds(ground, agent);
  const first = hold();
  await first.granted();
  ground.writers.set(agent.name, takeover.leases.writer(agent.name) as string);
  const told = await agent.send(ground.orders(), 'not now', { timeoutMs: 60_000 });
  expect(told).toMatchObject({ outcome: 'busy', reason: 'jarvis@W-jarvis has taken it over' });
  first.leave();
  await first.ended;
});

test('whoever displaces gets the pane from the one before, and leaves it free', async () => {
  await using ground = new OrderGround();
  const agent = await ground.claude();
  const orders = ground.orders();
  const { hold } = holds(ground, agent);
  const first = hold();
  await first.granted();
  const second = hold(true);
  await second.granted();
  await first.ended;
  expect(first.events.at(-1)?.ended?.reason).toBe('displaced');
  expect((await agent.send(orders, 'not between', { timeoutMs: 4_000 })).outcome).toBe('busy');
  second.leave();
  await second.ended;
  expect((await agent.send(orders, 'now', { timeoutMs: 30_000 })).outcome).toBe('accepted');
});
