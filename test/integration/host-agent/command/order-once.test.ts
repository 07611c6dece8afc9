import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { PaneLocks } from '../../../../host-agent/command/pane-lock.ts';
import { sleep } from '../../../../src/runtime/sleep.ts';
import type { OrderOutcome, SendTextRequest } from '../../../../src/wire/gen/fleet/v1/orders.ts';
import { until } from '../../../helpers/until.ts';
import type { ChildTask } from './order-child.ts';
import { fromHere, newId, OrderGround, type ScriptedAgent } from './order-ground.ts';

const LATER = { timeoutMs: 30_000 };
const CHILD = new URL('./order-child.ts', import.meta.url).pathname;

class Child implements AsyncDisposable {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #ended: Promise<void>;
  #out = '';

  constructor(ground: OrderGround, journal: string, requests: SendTextRequest[]) {
    this.#process = spawn(process.execPath, [CHILD], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#ended = new Promise((resolve) => this.#process.once('exit', () => resolve()));
    this.#process.stdout.on('data', (chunk) => {
      this.#out += chunk;
    });
    const task: ChildTask = { folder: ground.folder, journal, agents: [...ground.rows], requests };
    this.#process.stdin.end(`${JSON.stringify(task)}\n`);
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }

  async outcomes(count: number): Promise<OrderOutcome[]> {
    await until(() => this.#out.split('\n').length > count, { timeoutMs: 110_000 });
    return this.#out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

const journalOf = (ground: OrderGround): string => join(ground.folder, 'orders.journal');
const journalSays = (ground: OrderGround, what: string): boolean => {
  try {
    return readFileSync(journalOf(ground), 'utf8').includes(what);
  } catch {
    return false;
  }
};
const timesTyped = (agent: ScriptedAgent, text: string): number => agent.bytes().split(text).length - 1;

test('the same id again types nothing and gets the same answer, also from the next host-agent', async () => {
  await using ground = new OrderGround();
  const agent = await ground.claude();
  const request = agent.message('only once');
  const first = ground.orders();
  const outcome = await first.sendText(request, fromHere());
  expect(await first.sendText(request, fromHere())).toEqual({ ...outcome, repeated: true });
  await first.stopped();
  const second = ground.orders();
  expect(await second.sendText(request, fromHere())).toEqual({ ...outcome, repeated: true });
  expect(await second.getOrder({ id: request.id }, fromHere())).toEqual({ ...outcome, repeated: true });
  expect(agent.messages()).toEqual(['only once']);
});

test('the same id again has the same answer when its agent runs in another pane by now', async () => {
  await using ground = new OrderGround();
  const agent = await ground.claude();
  const request = agent.message('only once');
  const orders = ground.orders();
  const outcome = await orders.sendText(request, fromHere());
  ground.run('respawn-pane', '-k', '-t', agent.pane.paneId, 'exec sleep 1000');
  ground.know(agent);
  const { paneId, panePid } = agent.pane;
  expect(panePid).not.toBe(request.target?.panePid);
  const again = { ...request, target: { hostAgent: '', key: agent.pane.key, paneId, panePid } };
  expect(await orders.sendText(again, fromHere())).toEqual({ ...outcome, repeated: true });
  const other = orders.sendText({ ...again, text: 'another' }, fromHere());
  await expect(other).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
});

test('another request under the same id is refused', async () => {
  await using ground = new OrderGround();
  const orders = ground.orders();
  const agent = await ground.claude();
  const request = agent.message('the first');
  await orders.sendText(request, fromHere());
  const other = orders.sendText({ ...request, text: 'the second' }, fromHere());
  await expect(other).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  expect(agent.messages()).toEqual(['the first']);
});

test('calls with one id at the same time are one order', async () => {
  await using ground = new OrderGround();
  const orders = ground.orders();
  const agent = await ground.claude();
  const request = agent.message('together');
  const outcomes = await Promise.all([1, 2, 3].map(() => orders.sendText(request, fromHere())));
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted', 'accepted']);
  expect(outcomes.filter(({ repeated }) => !repeated)).toHaveLength(1);
  expect(agent.messages()).toEqual(['together']);
});

test('an order under way is pending, and one that was never begun is not known', async () => {
  await using ground = new OrderGround();
  const orders = ground.orders();
  const agent = await ground.claude('hide');
  const request = agent.message('still typing', { timeoutMs: 6_000 });
  const sending = orders.sendText(request, fromHere());
  await until(() => agent.bytes() !== '', LATER);
  expect(await orders.getOrder({ id: request.id }, fromHere())).toMatchObject({ outcome: 'pending', verb: 'send' });
  await expect(orders.getOrder({ id: newId() }, fromHere())).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect((await sending).outcome).toBe('unverifiable');
});

test('who leaves before the first key takes the order along; after it, it runs on and can be asked for', async () => {
  await using ground = new OrderGround();
  const orders = ground.orders();
  const agent = await ground.claude();
  const locks = new PaneLocks(join(ground.folder, 'panes'));
  const turn = await locks.take(agent.pane, AbortSignal.timeout(30_000));
  const early = new AbortController();
  const first = agent.message('never mind');
  const waiting = orders.sendText(first, fromHere(early.signal));
  early.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
  const over = () => orders.getOrder({ id: first.id }, fromHere());
  await until(async () => (await over()).outcome !== 'pending', LATER);
  expect(await over()).toMatchObject({ outcome: 'refused', reason: 'whoever gave it left before it was begun' });
  turn[Symbol.dispose]();

  const late = new AbortController();
  const second = agent.message('please do');
  const lost = orders.sendText(second, fromHere(late.signal)).catch(() => undefined);
  await until(() => agent.bytes() !== '', LATER);
  late.abort();
  await lost;
  await until(async () => (await orders.getOrder({ id: second.id }, fromHere())).outcome === 'accepted', LATER);
  expect(agent.messages()).toEqual(['please do']);
});

test('a pane that ends after the paste, and a host-agent that stops then: told as what is known', async () => {
  await using ground = new OrderGround();
  const orders = ground.orders();
  await ground.claude();
  const ending = await ground.claude('hide');
  const sending = ending.send(orders, 'into the dark', { timeoutMs: 30_000 });
  await until(() => ending.bytes() !== '', LATER);
  ground.run('kill-pane', '-t', ending.pane.paneId);
  expect(await sending).toMatchObject({ outcome: 'unverifiable', reason: 'typed, but then its pane ended' });

  const agent = await ground.claude('hide');
  const request = agent.message('half way', { timeoutMs: 30_000 });
  const halfWay = orders.sendText(request, fromHere());
  await until(() => agent.bytes() !== '', LATER);
  await orders.stopped();
  const told = await halfWay;
  expect(told.outcome).toBe('unverifiable');
  expect(await ground.orders().getOrder({ id: request.id }, fromHere())).toEqual({ ...told, repeated: true });
});

test('nothing of a message, a key or a prompt is in the journal, and it is nobody else’s', async () => {
  await using ground = new OrderGround();
  const orders = ground.orders();
  const agent = await ground.claude('menu');
  await agent.send(orders, 'a secret word: xyzzy', { sender: { host: 'h', session: 'plugh' }, noLabel: false });
  const { promptId, choices } = await agent.prompt();
  await orders.answerPrompt(agent.answer('1', promptId), fromHere());
  const journal = readFileSync(journalOf(ground), 'utf8');
  for (const word of ['xyzzy', 'plugh', 'rm -rf', promptId, (choices[1] as { label: string }).label]) {
    expect(journal).not.toContain(word);
  }
  expect(journal).toContain('"actor":"local:jarvis"');
});

test('a host-agent killed before the first key: the same id is typed once', async () => {
  await using ground = new OrderGround();
  const agent = await ground.claude();
  const turn = await new PaneLocks(join(ground.folder, 'panes')).take(agent.pane, AbortSignal.timeout(30_000));
  const request = agent.message('after all', { timeoutMs: 60_000 });
  await using child = new Child(ground, journalOf(ground), [request]);
  await until(() => journalSays(ground, request.id), LATER);
  await child.kill();
  turn[Symbol.dispose]();
  expect(agent.bytes()).toBe('');
  expect(await ground.orders().sendText(request, fromHere())).toMatchObject({ outcome: 'accepted', repeated: false });
  expect(agent.messages()).toEqual(['after all']);
});

/** Modes in which it cannot come to its end before it is killed. */
const laterKills: [string, string, (agent: ScriptedAgent, ground: OrderGround) => boolean][] = [
  ['as soon as keys are announced', 'hide', (_, ground) => journalSays(ground, '"stage":"typing"')],
  ['after the paste', 'hide', (agent) => agent.bytes().includes('\x1b[201~')],
  ['after Enter', 'swallow-all', (_, ground) => journalSays(ground, '"stage":"submitted"')],
];
for (const [when, modes, isThen] of laterKills) {
  test(`a host-agent killed ${when}: the same id is never typed again, and nothing is claimed`, async () => {
    await using ground = new OrderGround();
    const agent = await ground.claude(modes);
    const request = agent.message('once at most', { timeoutMs: 60_000 });
    await using child = new Child(ground, journalOf(ground), [request]);
    await until(() => isThen(agent, ground), LATER);
    await child.kill();
    const orders = ground.orders();
    const outcome = await orders.sendText(request, fromHere());
    expect(outcome).toMatchObject({ outcome: 'unknown', repeated: true });
    expect(outcome.reason).toContain('the host-agent ended');
    expect(await orders.getOrder({ id: request.id }, fromHere())).toEqual(outcome);
    expect(timesTyped(agent, 'once at most')).toBeLessThanOrEqual(1);
    expect(ground.run('list-buffers')).toBe('');
  });
}

test('killed at any moment: typed at most once under an id, and `accepted` means exactly once', async () => {
  await using ground = new OrderGround();
  for (let round = 0; round < 10; round += 1) {
    const agent = await ground.claude();
    const request = agent.message(`message ${round}`, { timeoutMs: 60_000 });
    await using child = new Child(ground, journalOf(ground), [request]);
    await until(() => journalSays(ground, request.id), LATER);
    // Not a wait for anything: each round is killed at another moment.
    await sleep(round * 60);
    await child.kill();
    const orders = ground.orders();
    const { outcome } = await orders.sendText(request, fromHere());
    await orders.stopped();
    expect(['accepted', 'unknown'], `round ${round}`).toContain(outcome);
    if (outcome === 'accepted') expect(agent.messages()).toEqual([`message ${round}`]);
    expect(timesTyped(agent, `message ${round}`), `round ${round}`).toBeLessThanOrEqual(1);
  }
});

test('two host-agents at once send one after the other, and no message is in another', async () => {
  await using ground = new OrderGround();
  const agent = await ground.claude();
  const batch = (who: string) =>
    Array.from({ length: 4 }, (_, count) => agent.message(`${who} says ${count}`, { timeoutMs: 60_000 }));
  await using left = new Child(ground, join(ground.folder, 'left.journal'), batch('left'));
  await using right = new Child(ground, join(ground.folder, 'right.journal'), batch('right'));
  const outcomes = [...(await left.outcomes(4)), ...(await right.outcomes(4))];
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(new Array(8).fill('accepted'));
  const expected = ['left', 'right'].flatMap((who) => [0, 1, 2, 3].map((count) => `${who} says ${count}`));
  expect(agent.messages().sort()).toEqual(expected);
  expect(agent.bytes().match(/\x1b\[200~(left|right) says \d\x1b\[201~\r/g)).toHaveLength(8);
});
