import { once } from 'node:events';
import { type ClientReadableStream, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { holderKey } from '../../../src/domain/holder.ts';
import type { OrderOutcome } from '../../../src/wire/gen/fleet/v1/orders.ts';
import { ADDRESS, allow, explain, Journal, order, outcomeOf, SOON, send, TARGET } from '../../helpers/order-cell.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

let cell: SimulatedCell;
beforeEach(async () => {
  cell = await SimulatedCell.start();
});
afterEach(() => cell?.end());

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
  await allow(cell, 'W-jarvis', ['send']);
  expect(await send(jarvis)).toMatchObject({ outcome: 'accepted' });
  expect((await failureOf(type())).details).toContain('"fleet host allow W-jarvis send takeover"');
  await allow(cell, 'W-jarvis', ['send', 'takeover']);
  expect(await type()).toEqual({ sequence: 1n });
});

/** A host that does what it is ordered, and what it was. */
const controlled = async (): Promise<string[]> => {
  const told: string[] = [];
  await cell.host('dragon-lin', {
    calls: {
      controlAgent: async ({ id, action, target }) => {
        told.push(`${action} ${target?.key}`);
        return { ...outcomeOf(id, 'done'), verb: action };
      },
    },
  });
  return told;
};

const PLAIN = { force: false, rosterDigest: '', adopt: false, migrate: false, purge: false };

test('an agent is stopped from elsewhere only by callers who were allowed lifecycle, and asked after by its id', async () => {
  const told = await controlled();
  const jarvis = cell.as(await cell.host('W-jarvis'));
  const target = { ...TARGET, paneId: '', panePid: 0 };
  const stop = (action = 'stop', id = 'life-1') =>
    unary<OrderOutcome>((done) => jarvis.controlAgent({ ...PLAIN, id, target, action, timeoutMs: 5_000 }, done));
  expect((await failureOf(stop())).details).toContain('"fleet host allow W-jarvis lifecycle"');
  await allow(cell, 'W-jarvis', ['send']);
  expect((await failureOf(stop())).code).toBe(status.PERMISSION_DENIED);
  await allow(cell, 'W-jarvis', ['lifecycle']);
  expect((await failureOf(stop('explode', 'life-0'))).code).toBe(status.INVALID_ARGUMENT);
  expect(await stop()).toMatchObject({ outcome: 'done', verb: 'stop', address: ADDRESS });
  expect(told).toEqual(['stop a']);
  // The same id for another action is another order.
  expect((await failureOf(stop('start'))).code).toBe(status.ALREADY_EXISTS);
});

test('a holder is no row: it is named by its unit, needs lifecycle, and another key of no row is nobody', async () => {
  const told = await controlled();
  const jarvis = cell.as(await cell.host('W-jarvis'));
  const restart = (key: string) => {
    const target = { hostAgent: TARGET.hostAgent, key, paneId: '', panePid: 0 };
    return unary<OrderOutcome>((done) =>
      jarvis.controlAgent({ ...PLAIN, id: 'hold-1', target, action: 'restart', timeoutMs: 5_000 }, done),
    );
  };
  expect((await failureOf(restart(holderKey()))).details).toContain('"fleet host allow W-jarvis lifecycle"');
  await allow(cell, 'W-jarvis', ['lifecycle']);
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
  await allow(cell, 'W-jarvis', ['takeover']);
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
  await allow(cell, 'W-jarvis', []);
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
