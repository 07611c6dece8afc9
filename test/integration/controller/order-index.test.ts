import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type OrderEntry, OrderIndex } from '../../../controller/dispatch/order-index.ts';
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

const entry = (over: Partial<OrderEntry> = {}): OrderEntry => ({
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

test('ids are one tenant’s own; whoever sees all finds the newest of them', async () => {
  const orders = await index(10);
  await orders.begin('mine', 'same', entry({ beganMs: 1 }));
  await orders.begin('theirs', 'same', entry({ key: 'b', beganMs: 2 }));
  expect(orders.get('mine', 'same')?.key).toBe('a');
  expect(orders.get('nobody', 'same')).toBeUndefined();
  expect(orders.find('same')?.key).toBe('b');
  expect(orders.find('ame')).toBeUndefined();
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
