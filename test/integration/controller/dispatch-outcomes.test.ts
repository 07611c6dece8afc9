import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { OrderOutcome } from '../../../src/wire/gen/fleet/v1/orders.ts';
import { ADDRESS, Journal, order, SOON, send, TARGET } from '../../helpers/order-cell.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import { failureOf } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

let cell: SimulatedCell;
beforeEach(async () => {
  cell = await SimulatedCell.start();
});
afterEach(() => cell?.end());

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
    reason: expect.stringMatching(/the line to it broke, after the order was sent/),
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
