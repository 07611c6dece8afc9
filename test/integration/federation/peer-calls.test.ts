import { once } from 'node:events';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CallContext } from '../../../host-agent/calls/own-calls.ts';
import { watchAudit } from '../../../src/cli/client/admin-methods.ts';
import { FleetError } from '../../../src/domain/errors.ts';
import type { AuditRecord } from '../../../src/wire/gen/fleet/v1/audit.ts';
import type { FleetServiceClient } from '../../../src/wire/gen/fleet/v1/fleet.ts';
import type { OrderOutcome } from '../../../src/wire/gen/fleet/v1/orders.ts';
import { Watching } from '../../helpers/fleet-caller.ts';
import { PeerCells } from '../../helpers/peer-cells.ts';
import type { HostWish, SimulatedCell } from '../../helpers/simulated-cell.ts';
import { SimulatedScreen } from '../../helpers/simulated-screen.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
const PLACE = { hostAgent: 'partner/dragon-lin/u', key: 'a' };
const ADDRESS = 'partner/dragon-lin/u/coder0-0';
const ADMIN = 'spiffe://home/operator/admin-socket';

let cells: PeerCells;
beforeEach(async () => {
  cells = await PeerCells.start();
});
afterEach(() => cells?.end());

/** A host of partner's that takes messages; each waits at the gate after it is in the journal. */
class Taker {
  readonly taken: { text: string; context: CallContext }[] = [];
  readonly #known = new Map<string, OrderOutcome>();
  gate: Promise<void> = Promise.resolve();

  readonly calls: NonNullable<HostWish['calls']> = {
    sendText: async ({ id, text }, context) => {
      const before = this.#known.get(id);
      if (before !== undefined) return { ...before, repeated: true };
      const outcome = { id, address: '', verb: 'send', outcome: 'accepted', reason: '', actor: '' };
      const whole = { ...outcome, beganMs: 1, endedMs: 2, repeated: false };
      this.#known.set(id, whole);
      this.taken.push({ text, context });
      await this.gate;
      return whole;
    },
    getOrder: async ({ id }) => {
      const outcome = this.#known.get(id);
      if (outcome === undefined) throw new FleetError('NOT_FOUND', 'no such order here');
      return outcome;
    },
  };
}

const send = (client: FleetServiceClient, id = 'order-1'): Promise<OrderOutcome> =>
  unary((done) =>
    client.sendText(
      {
        id,
        target: { ...PLACE, paneId: '%1', panePid: 7 },
        sender: { host: 'pretended', session: 'operator' },
        text: 'hello',
        verify: true,
        timeoutMs: 20_000,
        waitIdleMs: 0,
        noLabel: false,
      },
      done,
    ),
  );
const order = (client: FleetServiceClient, id = 'order-1'): Promise<OrderOutcome> =>
  unary((done) => client.getOrder({ id }, done));

const audited = (cell: SimulatedCell): Promise<AuditRecord[]> =>
  cell.controller.admin(async (channel) => {
    const records: AuditRecord[] = [];
    const request = { follow: false, afterSequence: 0n, sinceMs: 0, newest: 0 };
    for await (const message of channel.stream(watchAudit, request, { deadlineMs: 10_000 }))
      records.push(...message.records);
    return records;
  });
const said = async (cell: SimulatedCell, verb: string): Promise<AuditRecord[]> =>
  (await audited(cell)).filter((record) => record.verb.endsWith(`/${verb}`));

test('a message goes through to the cell that owns the agent, on behalf of whoever sent it here', async () => {
  const taker = new Taker();
  await cells.partner.host('dragon-lin', { calls: taker.calls });
  const jarvis = await cells.home.host('W-jarvis');
  await cells.grant(['observe', 'send']);
  await cells.untilRows(1);
  expect(await send(cells.home.admin())).toMatchObject({
    outcome: 'accepted',
    address: ADDRESS,
    actor: expect.any(String),
  });
  expect(taker.taken[0]?.context.origin).toMatchObject({ actor: ADMIN, name: 'home/admin-socket', federated: true });
  expect((await failureOf(send(cells.home.as(jarvis), 'order-2'))).details).toContain('fleet host allow W-jarvis send');
  await cells.home.allow('W-jarvis', ['send']);
  expect(await send(cells.home.as(jarvis), 'order-2')).toMatchObject({ outcome: 'accepted' });
  expect(taker.taken[1]?.context.origin).toMatchObject({
    actor: 'spiffe://home/host/W-jarvis/user/u',
    federated: true,
  });
  expect(await order(cells.home.as(jarvis), 'order-2')).toMatchObject({ outcome: 'accepted', address: ADDRESS });
  const [here] = await said(cells.home, 'SendText');
  const there = (await said(cells.partner, 'SendText')).filter(({ outcome }) => outcome === 'done');
  expect(here).toMatchObject({ agent: 'coder0-0', target: ADDRESS, body: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(there[0]).toMatchObject({
    onBehalfOf: ADMIN,
    actor: expect.stringMatching(/^spiffe:\/\/home\/controller\//),
    reason: 'accepted',
  });
});

test('what is not granted is refused by the owner, and what nobody can grant here already', async () => {
  const taker = new Taker();
  await cells.partner.host('dragon-lin', { calls: taker.calls });
  await cells.grant(['observe']);
  await cells.untilRows(1);
  const client = cells.home.admin();
  expect((await failureOf(send(client))).code).toBe(status.PERMISSION_DENIED);
  const watching = new Watching(client, PLACE).read();
  await until(() => watching.isOver, SOON);
  expect(watching.failure?.code).toBe(status.PERMISSION_DENIED);
  const { hostAgent } = PLACE;
  const roster = await failureOf(unary((done) => client.getRoster({ hostAgent }, done)));
  const orders = await failureOf(unary((done) => client.listOrders({ hostAgent, newest: 1 }, done)));
  expect([roster.code, orders.code]).toEqual([status.PERMISSION_DENIED, status.PERMISSION_DENIED]);
  expect(taker.taken).toEqual([]);
});

test('a peer’s host with the names of ours is not ours: callers there have no leave of their own for it', async () => {
  const taker = new Taker();
  await cells.partner.host('dragon-lin', { calls: taker.calls });
  const namesake = await cells.home.host('dragon-lin');
  await cells.grant(['observe', 'send']);
  await cells.untilRows(1);
  expect((await failureOf(send(cells.home.as(namesake)))).code).toBe(status.PERMISSION_DENIED);
  expect(taker.taken).toEqual([]);
});

test('a screen is watched through, each watcher by name, and ends when its grant is revoked', async () => {
  const screen = new SimulatedScreen();
  screen.draw('first');
  await cells.partner.host('dragon-lin', { calls: { watchTerminal: screen.watch } });
  await cells.grant(['observe']);
  const watch = await cells.grant(['watch']);
  const jarvis = await cells.home.host('W-jarvis');
  await cells.untilRows(1);
  const all = [cells.home.admin(), cells.home.as(jarvis)].map((client) => new Watching(client, PLACE).read());
  await until(() => all.every(({ shows }) => shows === 'first'), SOON);
  screen.draw('second');
  await until(() => all.every(({ shows }) => shows === 'second'), SOON);
  const names = ['home/admin-socket', 'home/u@W-jarvis'];
  await until(() => names.every((name) => all[0]?.status?.watchers.includes(name)), SOON);
  await cells.revoke(watch);
  await until(() => all.every(({ isOver }) => isOver), SOON);
  expect(all.map(({ failure }) => failure?.code)).toEqual([status.PERMISSION_DENIED, status.PERMISSION_DENIED]);
  expect(await cells.rows()).toEqual(['a']);
  await until(() => screen.standing.size === 0, SOON);
});

test('a watch outlives a cut line, and ends when the peer removes us', async () => {
  const screen = new SimulatedScreen();
  screen.draw('first');
  await cells.partner.host('dragon-lin', { calls: { watchTerminal: screen.watch } });
  await cells.grant(['observe', 'watch']);
  await cells.untilRows(1);
  const watching = new Watching(cells.home.admin(), PLACE).read();
  await until(() => watching.shows === 'first', SOON);
  cells.line.cut();
  await until(() => watching.status?.link?.state === 'unconfirmed', SOON);
  screen.draw('meanwhile');
  cells.line.mend();
  await until(() => watching.shows === 'meanwhile', SOON);
  expect(watching.isOver).toBe(false);
  await cells.remove(cells.partner, 'home');
  await until(() => watching.isOver, SOON);
});

test('a watcher who does not read holds back nobody, and is behind a line that is not filled', async () => {
  const screen = new SimulatedScreen();
  screen.draw('first');
  await cells.partner.host('dragon-lin', { calls: { watchTerminal: screen.watch } });
  await cells.grant(['observe', 'watch']);
  await cells.untilRows(1);
  const stalled = new Watching(cells.home.admin(), PLACE).read();
  const reading = new Watching(cells.home.admin(), PLACE).read();
  await until(() => stalled.shows !== '' && reading.shows !== '', SOON);
  stalled.call.pause();
  const line = 'x'.repeat(200);
  for (let frame = 0; frame < 200; frame++)
    screen.draw(...Array.from({ length: 60 }, (_, at) => `${frame} ${at} ${line}`));
  await until(() => reading.shows.startsWith('199 0'), SOON);
  stalled.call.resume();
  await until(() => stalled.shows.startsWith('199 0'), SOON);
  for (const { call } of [stalled, reading]) call.cancel();
});

test('a send whose line is cut is unknown, and what became of it is told later', async () => {
  const taker = new Taker();
  const gate = Promise.withResolvers<void>();
  taker.gate = gate.promise;
  await cells.partner.host('dragon-lin', { calls: taker.calls });
  await cells.grant(['observe', 'send']);
  await cells.untilRows(1);
  const client = cells.home.admin();
  const sent = send(client);
  await until(() => taker.taken.length === 1, SOON);
  cells.line.cut();
  expect(await sent).toMatchObject({ outcome: 'unknown', reason: expect.stringContaining('fleet order order-1') });
  expect((await failureOf(send(client, 'order-2'))).code).toBe(status.UNAVAILABLE);
  expect(await order(client)).toMatchObject({ outcome: 'unknown' });
  gate.resolve();
  cells.line.mend();
  await until(async () => (await order(client)).outcome === 'accepted', SOON);
  expect(await send(client)).toMatchObject({ outcome: 'accepted', repeated: true });
  expect(taker.taken).toHaveLength(1);
});

test('a send during which its grant is revoked is unknown on both sides, and in both audits', async () => {
  const taker = new Taker();
  const gate = Promise.withResolvers<void>();
  taker.gate = gate.promise;
  await cells.partner.host('dragon-lin', { calls: taker.calls });
  await cells.grant(['observe']);
  const steering = await cells.grant(['send']);
  await cells.untilRows(1);
  const client = cells.home.admin();
  const sent = send(client);
  await until(() => taker.taken.length === 1, SOON);
  await cells.revoke(steering);
  expect(await sent).toMatchObject({ outcome: 'unknown' });
  gate.resolve();
  expect((await failureOf(send(client, 'order-2'))).code).toBe(status.PERMISSION_DENIED);
  expect(taker.taken).toHaveLength(1);
  const told = async (cell: SimulatedCell) =>
    (await said(cell, 'SendText'))
      .filter(({ order }) => order === 'order-1')
      .map(({ target, outcome, reason }) => [target, outcome, reason]);
  await until(async () => (await told(cells.partner)).length === 2, SOON);
  expect(await told(cells.home)).toEqual([
    [ADDRESS, 'allowed', ''],
    [ADDRESS, 'done', 'unknown'],
  ]);
  expect(await told(cells.partner)).toEqual([
    [ADDRESS, 'allowed', ''],
    [ADDRESS, 'ended', 'unknown: the grant for this was revoked'],
  ]);
});

test('a takeover goes through, its keys in their order, and ends with the peer', async () => {
  const typed: string[] = [];
  let holds = 0;
  await cells.partner.host('dragon-lin', {
    calls: {
      holdTerminal: async (_request, _sink, { signal }) => {
        holds++;
        if (!signal.aborted) await once(signal, 'abort');
        holds--;
      },
      typeKeys: async ({ sequence, strokes }) => {
        typed.push(...strokes.map(({ text }) => text ?? ''));
        return { sequence };
      },
    },
  });
  await cells.grant(['observe', 'watch', 'takeover']);
  await cells.untilRows(1);
  const client = cells.home.admin();
  const target = { ...PLACE, paneId: '%1', panePid: 7 };
  const call = client.holdTerminal({ id: 'hold-1', target, takeover: false, width: 0, height: 0 });
  const ended = new Promise<number>((resolve) =>
    call.on('error', (error) => resolve((error as { code?: number }).code ?? 0)),
  );
  call.on('data', () => undefined);
  await until(() => holds === 1, SOON);
  for (const [at, text] of ['a', 'b', 'c'].entries()) {
    const request = { target, lease: 'l', sequence: BigInt(at + 1), strokes: [{ text }] };
    expect(await unary((done) => client.typeKeys(request, done))).toEqual({ sequence: BigInt(at + 1) });
  }
  expect(typed).toEqual(['a', 'b', 'c']);
  await cells.remove(cells.partner, 'home');
  expect([status.PERMISSION_DENIED, status.NOT_FOUND]).toContain(await ended);
  await until(() => holds === 0, SOON);
});

test('a host-agent shows and relays what its controller’s peers grant, and keeps it when the controller is gone', async () => {
  const screen = new SimulatedScreen();
  screen.draw('first');
  const taker = new Taker();
  await cells.partner.host('dragon-lin', { calls: { watchTerminal: screen.watch, ...taker.calls } });
  await cells.grant(['observe', 'watch', 'send']);
  await cells.untilRows(1);
  const local = await cells.home.hostAgent('W-jarvis');
  const rows = async (): Promise<string[]> =>
    await new Promise((resolve, reject) => {
      const ids: string[] = [];
      const call = local.watchAgents({ follow: false, resumeToken: '', localOnly: false, hostsOnly: false });
      call.on('data', ({ changes }) => {
        for (const { hostAgent } of changes?.agents ?? []) ids.push(hostAgent);
      });
      call.on('error', reject);
      call.on('end', () => resolve(ids));
    });
  await until(async () => (await rows()).includes(PLACE.hostAgent), SOON);
  const watching = new Watching(local, PLACE).read();
  await until(() => watching.shows === 'first', SOON);
  watching.call.cancel();
  expect((await failureOf(send(local))).details).toContain('fleet host allow W-jarvis send');
  await cells.home.allow('W-jarvis', ['send']);
  expect(await send(local)).toMatchObject({ outcome: 'accepted', address: ADDRESS });
  expect(await order(local)).toMatchObject({ outcome: 'accepted', address: ADDRESS });
  await cells.home.controller.stop();
  expect(await rows()).toContain(PLACE.hostAgent);
});
