import { expect, test } from 'vitest';
import type { Told } from '../../../../src/cli/lifecycle/one-order.ts';
import { exitCodeOfAll, rollOut } from '../../../../src/cli/lifecycle/rolling.ts';
import type { OrderPlace } from '../../../../src/cli/orders/change-target.ts';

const agent = (hostAgent: string, name: string): OrderPlace => ({ hostAgent, typed: name }) as OrderPlace;
const tellOf = (of: OrderPlace, outcome: string, exitCode = 0): Told =>
  ({ agent: of, outcome: { outcome } as Told['outcome'], exitCode }) satisfies Told;
const FLEET = ['a', 'b'].flatMap((host) => [1, 2, 3, 4].map((n) => agent(host, `${host}${n}`)));

/** Each order ends when its gate opens. */
const gated = (mostLost: number | null, atOnce: number, outcomeOf = (_: string) => 'done') => {
  const gates = new Map<string, () => void>();
  const over: string[] = [];
  const all = rollOut(FLEET, {
    atOnce,
    mostLost,
    give: (one) => new Promise((resolve) => gates.set(one.typed, () => resolve(tellOf(one, outcomeOf(one.typed))))),
    skip: (one) => tellOf(one, 'skipped', 8),
    onTold: ({ agent: one }) => over.push(one.typed),
  });
  const open = async (...names: string[]) => {
    for (const name of names) gates.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { all, gates, over, open };
};

test('no more at a time than was said, on each host for itself; one that hangs delays no other host', async () => {
  const { all, gates, over, open } = gated(2, 2);
  expect([...gates.keys()]).toEqual(['a1', 'a2', 'b1', 'b2']);
  await open('b2');
  expect([...gates.keys()].slice(4)).toEqual(['b3']);
  await open('b1', 'b3');
  await open('b4');
  expect(over.sort()).toEqual(['b1', 'b2', 'b3', 'b4']);
  await open('a1', 'a2');
  await open('a3', 'a4');
  expect((await all).map(({ agent: one }) => one.typed)).toEqual(FLEET.map(({ typed }) => typed));
});

test.each([
  ['failed', 'skipped'],
  ['unknown', 'skipped'],
  ['pending', 'skipped'],
  ['refused', 'done'],
])('after one that %s the next of its host is %s', async (first, next) => {
  const { all, open } = gated(1, 1, (name) => (name === 'a1' ? first : 'done'));
  for (const name of ['a1', 'b1', 'a2', 'b2', 'a3', 'b3', 'a4', 'b4']) await open(name);
  const told = (await all).map(({ agent: one, outcome }) => `${one.typed} ${outcome.outcome}`);
  expect(told.slice(0, 4)).toEqual([`a1 ${first}`, `a2 ${next}`, `a3 ${next}`, `a4 ${next}`]);
  expect(told.slice(4)).toEqual(['b1 done', 'b2 done', 'b3 done', 'b4 done']);
});

test('all together end as each did, or as partly done, or as failed', () => {
  const one = FLEET[0] as OrderPlace;
  const codeOf = (...codes: number[]) => exitCodeOfAll(codes.map((code) => tellOf(one, 'x', code)));
  expect(codeOf(0, 0)).toBe(0);
  expect(codeOf(8, 8)).toBe(8);
  expect(codeOf(0, 5)).toBe(3);
  expect(codeOf(8, 5)).toBe(1);
});
