import { expect, it } from 'vitest';
import { EndedOrders } from '../../../../host-agent/report/ended-orders.ts';
import type { OrderEnded } from '../../../../src/wire/gen/fleet/v1/host_agent.ts';

const order = (id: string): OrderEnded => ({ id, agent: 'coder', verb: 'send', outcome: 'accepted' });

it('orders that ended are told as they end, and the newest of those that nobody heard when somebody does', () => {
  const ended = new EndedOrders();
  for (let n = 0; n < 150; n++) ended.add(order(`o${n}`));
  const heard: string[] = [];
  const tell = ({ id }: OrderEnded): void => void heard.push(id);
  {
    using _stream = ended.follow(tell);
    expect([heard.length, heard[0], heard.at(-1)]).toEqual([100, 'o50', 'o149']);
    ended.add(order('live'));
    expect(heard.at(-1)).toBe('live');
  }
  heard.length = 0;
  ended.add(order('away'));
  expect(heard).toEqual([]);
  ended.follow(tell);
  expect(heard).toEqual(['away']);
});

it('orders of a cell that was left are told to no other', () => {
  const ended = new EndedOrders();
  ended.add(order('o1'));
  ended.forget();
  const heard: OrderEnded[] = [];
  ended.follow((each) => heard.push(each));
  expect(heard).toEqual([]);
});
