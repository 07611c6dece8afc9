import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FleetError } from '../../../src/domain/errors.ts';
import { ADDRESS, allow, explain, Journal, outcomeOf, send } from '../../helpers/order-cell.ts';
import { SimulatedCell } from '../../helpers/simulated-cell.ts';
import { failureOf } from '../../helpers/test-cell.ts';

let cell: SimulatedCell;
beforeEach(async () => {
  cell = await SimulatedCell.start();
});
afterEach(() => cell?.end());

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

test('a message of 256 KiB arrives whole, and a larger request is refused before it leaves', async () => {
  const journal = new Journal();
  await cell.host('dragon-lin', { calls: journal.calls });
  const client = await cell.hostAgent('W-jarvis');
  await allow(cell, 'W-jarvis', ['send']);
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
