import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ClientReadableStream, type ClientUnaryCall, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CallContext } from '../../../host-agent/calls/own-calls.ts';
import { allowVerbs } from '../../../src/cli/client/admin-methods.ts';
import { FleetError } from '../../../src/domain/errors.ts';
import { holderKey } from '../../../src/domain/holder.ts';
import type { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import type { OrderOutcome, SendTextRequest } from '../../../src/wire/gen/fleet/v1/orders.ts';
import type { ExplainAgentResponse, TailTerminalResponse } from '../../../src/wire/gen/fleet/v1/terminal.ts';
import { MAX_TUNNEL_CALLS } from '../../../src/wire/host-calls.ts';
import { type HostWish, SimulatedCell } from '../../helpers/simulated-cell.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
const ADDRESS = 'home/dragon-lin/u/coder0-0';
const TARGET = { hostAgent: 'dragon-lin/u', key: 'a', paneId: '%1', panePid: 7 };
const EXPLAINED: ExplainAgentResponse = {
  readiness: 'working',
  reason: '',
  reasonCode: '',
  evidence: [],
  prompt: undefined,
  rules: 'pi 1',
};

let cell: SimulatedCell;
beforeEach(async () => {
  cell = await SimulatedCell.start();
});
afterEach(() => cell?.end());

const message = (over: Partial<SendTextRequest> = {}): SendTextRequest => ({
  id: 'order-1',
  target: TARGET,
  sender: { host: 'pretended', session: 'operator' },
  text: 'hello',
  verify: true,
  timeoutMs: 5_000,
  waitIdleMs: 0,
  noLabel: false,
  ...over,
});

const outcomeOf = (id: string, outcome: string): OrderOutcome => ({
  id,
  address: '',
  verb: 'send',
  outcome,
  reason: '',
  actor: '',
  beganMs: 1,
  endedMs: 2,
  repeated: false,
});

/** A host that takes messages and keeps a journal of them, as far as an outcome goes. */
class Journal {
  readonly taken: { request: SendTextRequest; context: CallContext }[] = [];
  readonly #outcomes = new Map<string, OrderOutcome>();
  /** An order waits for it after it was journalled. */
  gate: () => Promise<void> = async () => {};

  readonly calls: NonNullable<HostWish['calls']> = {
    sendText: async (request, context) => {
      const before = this.#outcomes.get(request.id);
      if (before !== undefined) return { ...before, repeated: true };
      const outcome = outcomeOf(request.id, 'accepted');
      this.#outcomes.set(request.id, outcome);
      this.taken.push({ request, context });
      await this.gate();
      return outcome;
    },
    getOrder: async ({ id }) => {
      const outcome = this.#outcomes.get(id);
      if (outcome === undefined) throw new FleetError('NOT_FOUND', 'no such order here');
      return outcome;
    },
  };
}

const send = (client: FleetServiceClient, over: Partial<SendTextRequest> = {}): Promise<OrderOutcome> =>
  unary((done) => client.sendText(message(over), done));
const order = (client: FleetServiceClient, id: string): Promise<OrderOutcome> =>
  unary((done) => client.getOrder({ id }, done));
const explain = (client: FleetServiceClient): Promise<ExplainAgentResponse> =>
  unary((done) => client.explainAgent({ hostAgent: 'dragon-lin/u', key: 'a' }, done));

test('a message goes to the agent’s host, on behalf of whoever sent it, and says from which host', async () => {
  const journal = new Journal();
  const dragon = await cell.host('dragon-lin', { calls: journal.calls });
  expect(await send(cell.as(dragon))).toMatchObject({ outcome: 'accepted', address: ADDRESS, repeated: false });
  const { request, context } = journal.taken[0]!;
  expect(request.sender).toEqual({ host: 'dragon-lin', session: 'operator' });
  expect(context.origin).toEqual({
    actor: 'spiffe://home/host/dragon-lin/user/u',
    name: 'u@dragon-lin',
    kind: 'host',
    role: expect.any(String),
    federated: false,
  });
});

test('callers of a host act elsewhere only when they were allowed to, and are told by which command', async () => {
  const journal = new Journal();
  const typed: unknown[] = [];
  await cell.host('dragon-lin', {
    calls: { ...journal.calls, typeKeys: async (request) => ({ sequence: BigInt(typed.push(request)) }) },
  });
  const jarvis = cell.as(await cell.host('W-jarvis'));
  const keys = { target: TARGET, lease: 'l', sequence: 1n, strokes: [{ text: 'x' }] };
  const type = () => unary((done) => jarvis.typeKeys(keys, done));
  const refused = await failureOf(send(jarvis));
  expect(refused.code).toBe(status.PERMISSION_DENIED);
  expect(refused.details).toContain('"fleet host allow W-jarvis send"');
  expect(journal.taken).toEqual([]);
  const allow = (verbs: string[]) =>
    cell.controller.admin((channel) =>
      channel.unary(allowVerbs, { host: 'W-jarvis', user: '', verbs }, { deadlineMs: 5_000 }),
    );
  await allow(['send']);
  expect(await send(jarvis)).toMatchObject({ outcome: 'accepted' });
  expect((await failureOf(type())).details).toContain('"fleet host allow W-jarvis send takeover"');
  await allow(['send', 'takeover']);
  expect(await type()).toEqual({ sequence: 1n });
});

const PLAIN = { force: false, rosterDigest: '', adopt: false, migrate: false, purge: false };

test('an agent is stopped from elsewhere only by callers who were allowed lifecycle, and asked after by its id', async () => {
  const told: string[] = [];
  await cell.host('dragon-lin', {
    calls: {
      controlAgent: async ({ id, action, target }) => {
        told.push(`${action} ${target?.key}`);
        return { ...outcomeOf(id, 'done'), verb: action };
      },
    },
  });
  const jarvis = cell.as(await cell.host('W-jarvis'));
  const target = { ...TARGET, paneId: '', panePid: 0 };
  const stop = (action = 'stop', id = 'life-1') =>
    unary<OrderOutcome>((done) => jarvis.controlAgent({ ...PLAIN, id, target, action, timeoutMs: 5_000 }, done));
  const allow = (verbs: string[]) =>
    cell.controller.admin((channel) =>
      channel.unary(allowVerbs, { host: 'W-jarvis', user: '', verbs }, { deadlineMs: 5_000 }),
    );
  expect((await failureOf(stop())).details).toContain('"fleet host allow W-jarvis lifecycle"');
  await allow(['send']);
  expect((await failureOf(stop())).code).toBe(status.PERMISSION_DENIED);
  await allow(['lifecycle']);
  expect((await failureOf(stop('explode', 'life-0'))).code).toBe(status.INVALID_ARGUMENT);
  expect(await stop()).toMatchObject({ outcome: 'done', verb: 'stop', address: ADDRESS });
  expect(told).toEqual(['stop a']);
  // The same id for another action is another order.
  expect((await failureOf(stop('start'))).code).toBe(status.ALREADY_EXISTS);
});

test('a holder is no row: it is named by its unit, needs lifecycle, and another key of no row is nobody', async () => {
  const told: string[] = [];
  await cell.host('dragon-lin', {
    calls: {
      controlAgent: async ({ id, action, target }) => {
        told.push(`${action} ${target?.key}`);
        return { ...outcomeOf(id, 'done'), verb: action };
      },
    },
  });
  const jarvis = cell.as(await cell.host('W-jarvis'));
  const restart = (key: string) => {
    const target = { hostAgent: TARGET.hostAgent, key, paneId: '', panePid: 0 };
    return unary<OrderOutcome>((done) =>
      jarvis.controlAgent({ ...PLAIN, id: 'hold-1', target, action: 'restart', timeoutMs: 5_000 }, done),
    );
  };
  expect((await failureOf(restart(holderKey()))).details).toContain('"fleet host allow W-jarvis lifecycle"');
  await cell.controller.admin((channel) =>
    channel.unary(allowVerbs, { host: 'W-jarvis', user: '', verbs: ['lifecycle'] }, { deadlineMs: 5_000 }),
  );
  expect(await restart(holderKey())).toMatchObject({
    outcome: 'done',
    address: 'home/dragon-lin/u/mosaic-tmux-holder.service',
  });
  expect((await failureOf(restart('roster:nobody'))).code).toBe(status.NOT_FOUND);
  expect(told).toEqual(['restart holder:mosaic-tmux-holder.service']);
});

test('a takeover ends when it is allowed no more, as a new one is refused; reading goes on', async () => {
  const open = { holds: 0, tails: 0 };
  const stays = async (what: keyof typeof open, signal: AbortSignal): Promise<void> => {
    open[what]++;
    if (!signal.aborted) await once(signal, 'abort');
    open[what]--;
  };
  await cell.host('dragon-lin', {
    calls: {
      holdTerminal: (_, __, { signal }) => stays('holds', signal),
      tailTerminal: (_, __, { signal }) => stays('tails', signal),
    },
  });
  const jarvis = cell.as(await cell.host('W-jarvis'));
  const allow = (verbs: string[]) =>
    cell.controller.admin((channel) =>
      channel.unary(allowVerbs, { host: 'W-jarvis', user: '', verbs }, { deadlineMs: 5_000 }),
    );
  await allow(['takeover']);
  const ended = (stream: ClientReadableStream<unknown>) =>
    new Promise<ServiceError>((resolve) => stream.on('data', () => {}).on('error', resolve as (error: Error) => void));
  const held = ended(jarvis.holdTerminal({ id: 'hold-1', target: TARGET, takeover: false, width: 0, height: 0 }));
  const tail = jarvis.tailTerminal({
    hostAgent: TARGET.hostAgent,
    key: TARGET.key,
    lines: 1,
    follow: true,
    lastRun: 0,
  });
  const tailed = ended(tail);
  await until(() => open.holds === 1 && open.tails === 1, SOON);
  await allow([]);
  expect(await held).toMatchObject({
    code: status.PERMISSION_DENIED,
    details: expect.stringContaining('"fleet host allow W-jarvis takeover"'),
  });
  await until(() => open.holds === 0, SOON);
  expect(open.tails).toBe(1);
  tail.cancel();
  await tailed;
});

test('another tenant’s agent cannot be reached, asked of, or told from one that does not exist', async () => {
  const journal = new Journal();
  const theirs = await cell.host('dragon-lin', { tenantId: 'theirs', calls: journal.calls });
  const mine = cell.as(await cell.host('mine', { tenantId: 'ours' }));
  await send(cell.as(theirs), { id: 'theirs-1' });
  const failures: ServiceError[] = await Promise.all([
    failureOf(send(mine)),
    failureOf(send(mine, { target: { ...TARGET, key: 'nothing' } })),
    failureOf(explain(mine)),
  ]);
  expect(new Set(failures.map(({ code, details }) => `${code} ${details}`))).toEqual(
    new Set([`${status.NOT_FOUND} no such agent: see "fleet ps"`]),
  );
  const [foreign, none] = [await failureOf(order(mine, 'theirs-1')), await failureOf(order(mine, 'never-1'))];
  expect(foreign.details).toBe('no such order: theirs-1 (of all, the newest 10,000 are known)');
  expect([foreign.code, foreign.details.replace('theirs-1', 'never-1')]).toEqual([none.code, none.details]);
  expect((await failureOf(order(mine, '\u001b[2Jx'))).details).toContain('no such order: ␛[2Jx ');
  expect(foreign.code).toBe(status.NOT_FOUND);
});

test('an order whose line broke after delivery is unknown, and the same id later is the host’s answer', async () => {
  const journal = new Journal();
  const proxy = await cell.proxy();
  await cell.host('dragon-lin', { calls: journal.calls, dials: [`127.0.0.1:${proxy.port}`] });
  const gate = Promise.withResolvers<void>();
  journal.gate = () => gate.promise;
  const sent = send(cell.admin());
  await until(() => journal.taken.length === 1, SOON);
  proxy.cut();
  expect(await sent).toMatchObject({
    outcome: 'unknown',
    address: ADDRESS,
    reason: expect.stringMatching(/delivered/),
  });
  expect(await order(cell.admin(), 'order-1')).toMatchObject({ outcome: 'unknown' });
  gate.resolve();
  proxy.mend();
  await until(async () => (await order(cell.admin(), 'order-1')).outcome === 'accepted', SOON);
  expect(await send(cell.admin())).toMatchObject({ outcome: 'accepted', repeated: true });
  expect(journal.taken).toHaveLength(1);
});

test('an order that went into a line that broke, and that its host never began, has had no effect', async () => {
  const journal = new Journal();
  const proxy = await cell.proxy();
  const lost = Promise.withResolvers<void>();
  // As if it had been dropped on its way: taken, and forgotten.
  const sendText = async (): Promise<OrderOutcome> => {
    lost.resolve();
    return new Promise(() => {});
  };
  const { getOrder } = journal.calls;
  await cell.host('dragon-lin', {
    calls: { sendText, ...(getOrder ? { getOrder } : {}) },
    dials: [`127.0.0.1:${proxy.port}`],
  });
  const sent = send(cell.admin());
  await lost.promise;
  proxy.cut();
  expect(await sent).toMatchObject({ outcome: 'unknown' });
  expect(await order(cell.admin(), 'order-1')).toMatchObject({ outcome: 'unknown' });
  proxy.mend();
  await until(async () => (await order(cell.admin(), 'order-1')).outcome === 'refused', SOON);
  expect(await order(cell.admin(), 'order-1')).toMatchObject({
    reason: expect.stringContaining('no such order here'),
    address: ADDRESS,
    endedMs: 0,
  });
});

test('what became of an order is known later, also when its host is gone and the controller began anew', async () => {
  const journal = new Journal();
  const dragon = await cell.host('dragon-lin', { calls: journal.calls });
  await send(cell.admin());
  expect(await order(cell.as(dragon), 'order-1')).toMatchObject({ outcome: 'accepted', address: ADDRESS });
  await dragon.stop();
  await cell.controller.stop();
  await cell.controller.begin();
  const later = await order(cell.admin(), 'order-1');
  expect(later).toMatchObject({ outcome: 'accepted', verb: 'send', address: ADDRESS });
  expect(later.reason).toMatch(/as last heard/);
});

test('a host says what became of an order in bounded words, and not which order of whose it was', async () => {
  const lie = { ...outcomeOf('another', 'x'.repeat(100_000)), address: 'home/W-jarvis/u/other', actor: 'nobody' };
  await cell.host('dragon-lin', { calls: { sendText: async () => ({ ...lie, reason: 'y'.repeat(100_000) }) } });
  const outcome = await send(cell.admin());
  expect(outcome).toMatchObject({ id: 'order-1', address: ADDRESS, verb: 'send' });
  expect(outcome.actor).not.toBe('nobody');
  expect(outcome.outcome.length + outcome.reason.length).toBeLessThan(2_000);
});

test('a host’s failure travels, however long its words are', async () => {
  const fails = async () => {
    throw new FleetError('FAILED_PRECONDITION', 'z'.repeat(100_000));
  };
  await cell.host('dragon-lin', { calls: { explainAgent: fails } });
  const failure = await failureOf(explain(cell.admin()));
  expect(failure.code).toBe(status.FAILED_PRECONDITION);
  expect(failure.details).toMatch(/^z{1000}$/);
});

test('an order with more time than any timer has is given, and waits for its host', async () => {
  const journal = new Journal();
  await cell.host('dragon-lin', { calls: journal.calls });
  expect((await send(cell.admin(), { timeoutMs: 2 ** 32 - 1 })).outcome).toBe('accepted');
});

test('an order that never left says so, and one id is one order', async () => {
  const journal = new Journal();
  const dragon = await cell.host('dragon-lin', { calls: journal.calls });
  dragon.put({ ...(await import('../../helpers/agent-row.ts')).agentRow({ key: 'b', agent: 'second' }) });
  await send(cell.admin());
  await until(async () => [...(await cell.controller.view()).rowsOf(dragon.id)].length === 2, SOON);
  expect((await failureOf(send(cell.admin(), { target: { ...TARGET, key: 'b' } }))).code).toBe(status.ALREADY_EXISTS);
  expect((await failureOf(send(cell.admin(), { id: 'no spaces' }))).code).toBe(status.INVALID_ARGUMENT);
  await dragon.stop();
  await until(async () => (await cell.controller.link(dragon.id)) === 'lost stopped', SOON);
  const failure = await failureOf(send(cell.admin(), { id: 'order-2' }));
  expect(failure).toMatchObject({ code: status.UNAVAILABLE, details: expect.stringMatching(/lost \(stopped\)/) });
});

test('a message of 256 KiB arrives whole, and a larger request is refused before it leaves', async () => {
  const journal = new Journal();
  await cell.host('dragon-lin', { calls: journal.calls });
  const client = await cell.hostAgent('W-jarvis');
  await cell.controller.admin((channel) =>
    channel.unary(allowVerbs, { host: 'W-jarvis', user: '', verbs: ['send'] }, { deadlineMs: 5_000 }),
  );
  const text = 'é'.repeat(128 * 1024);
  expect(await send(client, { text })).toMatchObject({ outcome: 'accepted' });
  expect(journal.taken[0]?.request.text === text).toBe(true);
  expect((await failureOf(send(client, { id: 'large', text: 'x'.repeat(600_000) }))).code).toBe(
    status.INVALID_ARGUMENT,
  );
});

test('no text of a message is in anything that the controller stores, and the audit names the agent', async () => {
  const journal = new Journal();
  await cell.host('dragon-lin', { calls: journal.calls });
  await send(cell.admin(), { text: 'swordfish-is-the-word' });
  // Nor what a host says of a screen when it refuses.
  journal.gate = () => Promise.reject(new FleetError('FAILED_PRECONDITION', 'blocked: "Is it swordfish?"'));
  const refused = await failureOf(send(cell.admin(), { id: 'order-2' }));
  expect(refused).toMatchObject({ code: status.FAILED_PRECONDITION, details: 'blocked: "Is it swordfish?"' });
  await cell.controller.stop();
  const folder = join(cell.controller.config.paths.state, 'controller');
  const stored = readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), 'latin1'))
    .join('');
  expect(stored).toContain('/fleet.v1.FleetService/SendText');
  expect(stored).toContain(ADDRESS);
  expect(stored).not.toContain('swordfish');
});

test('a caller who leaves, or waits no longer, ends its call at the host', async () => {
  const contexts: CallContext[] = [];
  const hang = (_: unknown, context: CallContext) => {
    contexts.push(context);
    return new Promise<never>((_, reject) => {
      context.signal.addEventListener('abort', () => reject(new FleetError('CANCELLED', 'given up')));
    });
  };
  await cell.host('dragon-lin', { calls: { explainAgent: hang } });
  const client = await cell.hostAgent('W-jarvis');
  let call: ClientUnaryCall | undefined;
  const left = unary<ExplainAgentResponse>((done) => {
    call = client.explainAgent({ hostAgent: 'dragon-lin/u', key: 'a' }, done);
  });
  left.catch(() => undefined);
  await until(() => contexts.length === 1, SOON);
  expect(contexts[0]?.signal.aborted).toBe(false);
  call?.cancel();
  await until(() => contexts[0]?.signal.aborted === true, SOON);
  const { Metadata } = await import('@grpc/grpc-js');
  const late = await failureOf(
    unary((done) =>
      client.explainAgent(
        { hostAgent: 'dragon-lin/u', key: 'a' },
        new Metadata(),
        { deadline: Date.now() + 1_500 },
        done,
      ),
    ),
  );
  expect(late.code).toBe(status.DEADLINE_EXCEEDED);
  await until(() => contexts[1]?.signal.aborted === true, SOON);
});

test('so many calls run to one host at once and no more; it answers again when they end', async () => {
  const gate = Promise.withResolvers<void>();
  let running = 0;
  await cell.host('dragon-lin', {
    calls: {
      explainAgent: async () => {
        running++;
        await gate.promise;
        return EXPLAINED;
      },
    },
  });
  const client = cell.admin();
  // Alone, so that the tunnel is open before the many.
  const first = explain(client);
  await until(() => running === 1, SOON);
  const others = Array.from({ length: MAX_TUNNEL_CALLS - 1 }, () => explain(client));
  await until(() => running === MAX_TUNNEL_CALLS, SOON);
  expect((await failureOf(explain(client))).code).toBe(status.RESOURCE_EXHAUSTED);
  gate.resolve();
  expect((await Promise.all([first, ...others])).every(({ rules }) => rules === 'pi 1')).toBe(true);
  expect(await explain(client)).toEqual(EXPLAINED);
});

/** Some 4 MB, as fast as they are taken. */
const LINE = 'x'.repeat(10_000);
const lines = (n: number): TailTerminalResponse => ({
  lines: [`${n} ${LINE}`],
  fullScreen: false,
  missed: 0,
  end: undefined,
});
const tailTerminal: NonNullable<HostWish['calls']>['tailTerminal'] = async (_, sink, { signal }) => {
  for (let n = 0; !signal.aborted && n < 400; n++) if (!sink.write(lines(n))) await sink.drained(signal);
};
const TAIL = { hostAgent: 'dragon-lin/u', key: 'a', lines: 400, follow: false, lastRun: 0 };
const numbers = (responses: TailTerminalResponse[]): number[] =>
  responses.flatMap(({ lines }) => lines.map((line) => Number.parseInt(line, 10)));

test('a slow reader of many lines gets them all, in order, and nobody else waits for it', async () => {
  await cell.host('dragon-lin', { calls: { tailTerminal, explainAgent: async () => EXPLAINED } });
  const slow = cell.admin().tailTerminal(TAIL);
  const seen: TailTerminalResponse[] = [];
  slow.on('data', (response: TailTerminalResponse) => {
    seen.push(response);
    if (seen.length === 1) slow.pause();
  });
  await until(() => seen.length === 1, SOON);
  const quick: TailTerminalResponse[] = [];
  for await (const response of cell.admin().tailTerminal(TAIL) as AsyncIterable<TailTerminalResponse>) {
    quick.push(response);
  }
  expect(await explain(cell.admin())).toEqual(EXPLAINED);
  expect(seen).toHaveLength(1);
  slow.resume();
  await until(() => seen.length === 400, SOON);
  const all = Array.from({ length: 400 }, (_, n) => n);
  expect([numbers(quick), numbers(seen)]).toEqual([all, all]);
});

test('a host that does not wait for a slow reader has its call ended', async () => {
  let isEnded = false;
  await cell.host('dragon-lin', {
    calls: {
      tailTerminal: async (_, sink, { signal }) => {
        for (let n = 0; n < 400; n++) sink.write(lines(n));
        await once(signal, 'abort');
        isEnded = true;
      },
    },
  });
  const slow = cell.admin().tailTerminal({ ...TAIL, follow: true });
  let failure: ServiceError | null = null;
  slow.on('error', (error: ServiceError) => {
    failure = error;
  });
  slow.once('data', () => slow.pause());
  await until(() => isEnded, SOON);
  slow.resume();
  await until(() => failure !== null, SOON);
  expect(failure).toMatchObject({ code: status.RESOURCE_EXHAUSTED, details: expect.stringContaining('the tail') });
});
