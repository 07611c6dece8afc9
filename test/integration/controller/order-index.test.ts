import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { OrderIndex } from '../../../controller/dispatch/order-index.ts';
import type { OrderRecord } from '../../../controller/store/records.ts';
import { openRecords } from '../../../controller/store/records.ts';
import { SqliteStore } from '../../../controller/store/sqlite-store.ts';

let folder: string;
let store: SqliteStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fleet-o-'));
  store = new SqliteStore(join(folder, 'controller.db'));
  store.start();
});
afterEach(() => {
  store.stop();
  rmSync(folder, { recursive: true, force: true });
});

const index = async (keep: number): Promise<OrderIndex> =>
  new OrderIndex(store, (await openRecords(store)).orders, keep);

const entry = (over: Partial<OrderRecord> = {}): OrderRecord => ({
  hostAgent: 'dragon-lin/u',
  key: 'a',
  address: 'home/dragon-lin/u/coder',
  actor: 'spiffe://home/host/x/user/u',
  verb: 'send',
  beganMs: 1,
  outcome: 'pending',
  ...over,
});

test('the newest are kept, also by the next run of the controller', async () => {
  const first = await index(3);
  for (let n = 1; n <= 5; n++) await first.begin('default', `o${n}`, entry({ beganMs: n }));
  const known = (orders: OrderIndex) => ['o1', 'o2', 'o3', 'o4', 'o5'].filter((id) => orders.get('default', id));
  expect(known(first)).toEqual(['o3', 'o4', 'o5']);
  const second = await index(3);
  expect(known(second)).toEqual(['o3', 'o4', 'o5']);
  await second.begin('default', 'o6', entry({ beganMs: 6 }));
  expect(known(second)).toEqual(['o4', 'o5']);
});

test('a tenant that gives many orders loses its own oldest, never another’s within its share', async () => {
  const first = await index(4);
  await first.begin('small', 'o1', entry({ beganMs: 1 }));
  await first.begin('small', 'o2', entry({ beganMs: 2 }));
  for (let n = 3; n <= 9; n++) await first.begin('busy', `o${n}`, entry({ beganMs: n }));
  const known = (orders: OrderIndex, tenantId: string) =>
    Array.from({ length: 11 }, (_, n) => `o${n}`).filter((id) => orders.get(tenantId, id));
  expect([known(first, 'small'), known(first, 'busy')]).toEqual([
    ['o1', 'o2'],
    ['o8', 'o9'],
  ]);
  const second = await index(4);
  await second.begin('third', 'o10', entry({ beganMs: 10 }));
  expect(known(second, 'third')).toEqual(['o10']);
  await second.begin('busy', 'o10', entry({ beganMs: 11 }));
  expect(second.find('o10', 'all')?.beganMs).toBe(11);
  expect(known(second, 'third')).toEqual(['o10']);
});

test('ids are one tenant’s own; whoever sees all finds the newest of them', async () => {
  const orders = await index(10);
  await orders.begin('mine', 'same', entry({ beganMs: 1 }));
  await orders.begin('theirs', 'same', entry({ key: 'b', beganMs: 2 }));
  expect(orders.get('mine', 'same')?.key).toBe('a');
  expect(orders.get('nobody', 'same')).toBeUndefined();
  expect(orders.find('same', 'all')?.key).toBe('b');
  expect(orders.find('ame', 'all')).toBeUndefined();
});

test('the same order again is the first one, with what was heard of it; another one under its id is refused', async () => {
  const orders = await index(10);
  const begun = await orders.begin('default', 'one', entry());
  expect(begun).toEqual({ entry: entry(), isNew: true });
  await orders.settle('default', 'one', begun.entry, 'accepted');
  const again = await orders.begin('default', 'one', entry({ beganMs: 9, actor: 'another' }));
  expect(again).toEqual({ entry: entry({ outcome: 'accepted' }), isNew: false });
  await expect(orders.begin('default', 'one', entry({ key: 'b' }))).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  await expect(orders.begin('default', 'one', entry({ verb: 'keys' }))).rejects.toMatchObject({
    code: 'ALREADY_EXISTS',
  });
});

test.each(['', ' ', 'a/b', 'x'.repeat(129), 'line\nbreak'])('%j is no id', async (id) => {
  await expect((await index(10)).begin('default', id, entry())).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test('an order that was under way when the controller ended is one of which nobody knows, until it is known better', async () => {
  const first = await index(3);
  await first.begin('default', 'o1', entry());
  await first.begin('default', 'o2', entry());
  await first.settle('default', 'o2', entry(), 'accepted');
  const outcomes = (orders: OrderIndex) => ['o1', 'o2'].map((id) => orders.get('default', id)?.outcome);
  expect(outcomes(first)).toEqual(['pending', 'accepted']);
  const second = await index(3);
  expect(outcomes(second)).toEqual(['unknown', 'accepted']);
  expect(second.find('o1', 'all')?.outcome).toBe('unknown');
  expect(await second.begin('default', 'o1', entry())).toMatchObject({ isNew: false, entry: { outcome: 'unknown' } });
  await second.settle('default', 'o1', entry(), 'refused');
  expect(outcomes(await index(3))).toEqual(['refused', 'accepted']);
});
