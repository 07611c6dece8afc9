/** Every agent of a host can make calls: what they are refused must not push out of the audit what others did. */
import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GrantedCell } from '../../helpers/granted-cell.ts';
import { message } from '../../helpers/order-cell.ts';
import type { SimulatedHost } from '../../helpers/simulated-host.ts';
import { failureOf, unary } from '../../helpers/test-cell.ts';
import { until } from '../../helpers/until.ts';

const SOON = { timeoutMs: 30_000 };
const TRIES = 130;

let ground: GrantedCell;
const hosts = new Map<string, SimulatedHost>();
beforeAll(async () => {
  ground = await GrantedCell.start();
  for (const name of ['W-jarvis', 'W-other']) hosts.set(name, await ground.cell.host(name));
});
afterAll(() => ground.end());

/** As one host's callers, to an agent elsewhere. */
const tries = async (from: string, key: string, code: status): Promise<void> => {
  const client = ground.cell.as(hosts.get(from) as SimulatedHost);
  const all = Array.from({ length: TRIES }, (_, at) => {
    const target = { hostAgent: 'dragon-lin/u', key, paneId: '%1', panePid: 7 };
    return failureOf(unary((done) => client.sendText(message({ id: `${from}-${at}`, target }), done)));
  });
  expect(new Set((await Promise.all(all)).map((failure) => failure.code))).toEqual(new Set([code]));
};
const outcomes = async (from: string): Promise<string[]> =>
  (await ground.recordsOf('SendText'))
    .filter(({ actor }) => actor.includes(`/host/${from}/`))
    .map(({ outcome, reason }) => `${outcome} ${/are counted$/.exec(reason)?.[0] ?? ''}`.trim());

test('orders that are refused before anything was done are no announced changes, and beyond a budget they are counted', async () => {
  await tries('W-jarvis', 'a', status.PERMISSION_DENIED);
  expect(await outcomes('W-jarvis')).toEqual([...Array(99).fill('denied'), 'denied are counted']);
  expect(ground.reached).toEqual([]);
});

test('so are orders to what does not exist, and the budget is each caller’s own', async () => {
  await tries('W-other', 'nobody', status.NOT_FOUND);
  const told = await until(async () => {
    const got = await outcomes('W-other');
    return got.length === 100 && got;
  }, SOON);
  expect(told).toEqual([...Array(99).fill('failed'), 'failed are counted']);
  // What was counted is told at the end.
  await ground.cell.controller.stop();
  await ground.cell.controller.begin();
  const rest = (await ground.recordsOf('SendText')).filter(({ reason }) => reason.startsWith('and 30 more refused'));
  expect(rest.map(({ outcome, target }) => [outcome, target])).toEqual([
    ['denied', ''],
    ['denied', ''],
  ]);
});
