import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostAgentEndpoint } from '../../../src/cli/client/endpoints.ts';
import { GrpcChannel } from '../../../src/cli/client/grpc-channel.ts';
import { pressKeys } from '../../../src/cli/client/order-methods.ts';
import { placeOrder } from '../../../src/cli/orders/place-order.ts';
import type { OrderOutcome } from '../../../src/wire/gen/fleet/v1/orders.ts';
import { outcome, refusal, ServedOrders } from './served-orders.ts';

const REQUEST = { id: 'o', target: undefined, keys: ['Up'], ifPrompt: '', blind: false, timeoutMs: 1_000 };
const PATIENCE = { searchMs: 600, absentMs: 200, pauseMs: 10 };

let served: ServedOrders;
let channel: GrpcChannel;
let lost: string[];

beforeEach(async () => {
  served = new ServedOrders();
  lost = [];
  await served.start();
  channel = new GrpcChannel(hostAgentEndpoint(served.view.paths));
});

afterEach(() => {
  channel[Symbol.dispose]();
  served.dispose();
});

const place = (deadlineMs = 10_000, signal = new AbortController().signal): Promise<OrderOutcome> => {
  const call = { signal, onLost: (why: string) => lost.push(why), patience: PATIENCE };
  return placeOrder(channel, { method: pressKeys, request: REQUEST, deadlineMs }, call);
};
const replyNever = (): undefined => undefined;
const refuse = (code: number, words: string) => (): never => {
  throw refusal(code, words);
};

test.each([
  [status.PERMISSION_DENIED, 'PERMISSION_DENIED'],
  [status.INVALID_ARGUMENT, 'INVALID_ARGUMENT'],
  [status.NOT_FOUND, 'NOT_FOUND'],
  [status.FAILED_PRECONDITION, 'FAILED_PRECONDITION'],
  [status.RESOURCE_EXHAUSTED, 'RESOURCE_EXHAUSTED'],
  [status.UNIMPLEMENTED, 'UNIMPLEMENTED'],
])('a refusal (%i) is the answer: nobody is asked again', async (code, name) => {
  served.answers.pressKeys = refuse(code, 'no');
  await expect(place()).rejects.toMatchObject({ code: name, message: 'no' });
  expect(served.calls('getOrder')).toEqual([]);
});

test('where nobody listens nothing was done, and nobody is asked again', async () => {
  served.view.stop();
  await expect(place()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(lost).toEqual([]);
});

test('an answer that does not come in time is asked after', async () => {
  served.answers.pressKeys = replyNever;
  served.answers.getOrder = () => outcome({ id: 'o', outcome: 'done' });
  expect((await place(150)).outcome).toBe('done');
  expect(lost).toEqual([expect.stringContaining('no answer within 0.15 s (PressKeys)')]);
  expect(served.calls('pressKeys')).toHaveLength(1);
});

test('an order that is still being done when patience ends is pending', async () => {
  served.answers.pressKeys = refuse(status.UNAVAILABLE, 'broke');
  served.answers.getOrder = () => outcome({ id: 'o', outcome: 'pending' });
  expect((await place()).outcome).toBe('pending');
  expect(served.calls('getOrder').length).toBeGreaterThan(1);
});

test('an order that is recorded late was on its way', async () => {
  served.answers.pressKeys = refuse(status.INTERNAL, 'broke');
  let asked = 0;
  served.answers.getOrder = () => {
    asked += 1;
    if (asked === 1) throw refusal(status.NOT_FOUND, 'no such order');
    return outcome({ id: 'o', outcome: 'accepted' });
  };
  expect((await place()).outcome).toBe('accepted');
});

test('an order of which there is no record for long enough was never begun', async () => {
  served.answers.pressKeys = refuse(status.UNAVAILABLE, 'broke');
  await expect(place()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: 'broke; nobody has heard of it, so nothing was typed: the same command with --id o repeats it safely',
  });
});

test('where nobody can be asked what became of it, it is unknown', async () => {
  served.answers.pressKeys = refuse(status.UNAVAILABLE, 'broke');
  served.answers.getOrder = refuse(status.UNAVAILABLE, 'the controller is away');
  expect(await place()).toMatchObject({
    id: 'o',
    outcome: 'unknown',
    reason: 'broke; asked again: the controller is away',
  });
});

test('a daemon that does not come back leaves it unknown', async () => {
  served.answers.pressKeys = () => {
    served.view.stop();
    return undefined;
  };
  expect(await place()).toMatchObject({ outcome: 'unknown', reason: expect.stringContaining('fleet up') });
});

test('whoever leaves while it is asked after leaves at once', async () => {
  const leaving = new AbortController();
  served.answers.pressKeys = refuse(status.UNAVAILABLE, 'broke');
  served.answers.getOrder = () => {
    leaving.abort();
    return outcome({ id: 'o', outcome: 'pending' });
  };
  await expect(place(10_000, leaving.signal)).rejects.toThrow();
  expect(served.calls('getOrder')).toHaveLength(1);
});

test('an order that somebody on the way lost sight of is asked after until its host says more', async () => {
  served.answers.pressKeys = () => outcome({ id: 'o', outcome: 'unknown', reason: 'the line broke' });
  let asked = 0;
  served.answers.getOrder = () => {
    asked += 1;
    return outcome({ id: 'o', outcome: asked < 3 ? 'unknown' : 'done', endedMs: 1 });
  };
  expect((await place()).outcome).toBe('done');
  expect(lost).toEqual(['the line broke']);
});

test('what nobody can say more of stays unknown, in the words that were heard', async () => {
  served.answers.pressKeys = () => outcome({ id: 'o', outcome: 'unknown', reason: 'the line broke' });
  expect(await place()).toMatchObject({ outcome: 'unknown', reason: 'the line broke' });
});

test('an order that a controller could not pass on had no effect; one that its host refused is refused', async () => {
  served.answers.pressKeys = refuse(status.UNAVAILABLE, 'dragon-lin is lost');
  served.answers.getOrder = () => outcome({ id: 'o', outcome: 'refused', reason: 'as last heard', endedMs: 0 });
  await expect(place()).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: expect.stringMatching(/^dragon-lin is lost; it did not reach its host, so nothing was typed/),
  });
  served.answers.getOrder = () => outcome({ id: 'o', outcome: 'refused', reason: 'observe', endedMs: 7 });
  expect(await place()).toMatchObject({ outcome: 'refused', reason: 'observe' });
});
