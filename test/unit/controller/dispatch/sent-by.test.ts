import { expect, test } from 'vitest';
import { sentBy } from '../../../../controller/dispatch/sent-by.ts';
import { type Caller, LOCAL_CALLER } from '../../../../controller/tenancy/caller.ts';
import type { OrderSender, SendTextRequest } from '../../../../src/wire/gen/fleet/v1/orders.ts';

const caller = (over: Partial<Caller>): Caller => ({ ...LOCAL_CALLER, kind: 'operator', name: 'ann', ...over });
const label = (from: Caller, sender?: OrderSender) => {
  const request: SendTextRequest = {
    id: 'o',
    target: undefined,
    sender,
    text: 'hello',
    verify: true,
    timeoutMs: 0,
    waitIdleMs: 0,
    noLabel: false,
  };
  return sentBy(from, 'lin@dragon-lin', request).sender;
};
const PRETENDED = { host: 'pretended', session: 'coder' };

test('a person with a certificate is the operator of that name, whatever the request says', () => {
  expect(label(caller({}), PRETENDED)).toEqual({ host: 'ann', session: 'operator' });
  expect(label(caller({}))).toEqual({ host: 'ann', session: 'operator' });
});

test('callers of a host are of that host, and of the session that they tell, else of none that is proven', () => {
  const host = caller({ kind: 'host', name: 'u', host: 'W-jarvis', user: 'u' });
  expect(label(host, PRETENDED)).toEqual({ host: 'W-jarvis', session: 'coder' });
  expect(label(host, { host: '', session: '' })).toEqual({ host: 'W-jarvis', session: 'unproven' });
  expect(label(host)).toEqual({ host: 'W-jarvis', session: 'unproven' });
});

test('whoever reaches the admin socket is on the controller’s machine', () => {
  expect(label(LOCAL_CALLER, PRETENDED)).toEqual({ host: 'dragon-lin', session: 'coder' });
  expect(label(LOCAL_CALLER)).toEqual({ host: 'dragon-lin', session: 'unproven' });
});

test('another controller proves nobody’s session', () => {
  const other = caller({ kind: 'controller', name: 'away' });
  expect(label(other, { host: 'dragon-lin', session: 'operator' })).toEqual({ host: 'away', session: 'unproven' });
});

test('what is no message has no sender', () => {
  const keys = { id: 'o', keys: ['y'] };
  expect(sentBy(caller({}), 'lin@dragon-lin', keys)).toBe(keys);
});
