import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { orderWords } from '../../../src/domain/order.ts';
import { outcome, refusal, ServedOrders } from './served-orders.ts';

let served: ServedOrders;

beforeEach(async () => {
  served = await ServedOrders.begun();
});

afterEach(() => served.dispose());

describe('fleet keys and fleet answer', () => {
  test('keys are pressed at the prompt that was named, or blindly', async () => {
    await served.fleet('keys', 'coder', 'Down', 'Enter', '--if-prompt', 'p1', '--id', 'k1');
    await served.fleet('keys', 'coder', 'y', '--blind', '--timeout', '3s');
    const target = { hostAgent: 'W-jarvis/jarvis', key: 'k:coder', paneId: '%1', panePid: 4321 };
    expect(served.calls('pressKeys').map(({ request }) => request)).toMatchObject([
      { id: 'k1', target, keys: ['Down', 'Enter'], ifPrompt: 'p1', blind: false, timeoutMs: 15_000 },
      { target, keys: ['y'], ifPrompt: '', blind: true, timeoutMs: 3_000 },
    ]);
  });

  test('a key that is not in the list is named, and nothing is sent; the host may refuse others, too', async () => {
    const { code, stderr } = await served.fleet('keys', 'coder', 'Down', 'Foo');
    expect(code).toBe(2);
    expect(stderr).toMatch(/^fleet: key 2, "Foo", may not be pressed/);
    expect(served.heard).toEqual([]);
    served.answers.pressKeys = () => {
      throw refusal(status.INVALID_ARGUMENT, 'key 1 is not in the list');
    };
    expect((await served.fleet('keys', 'coder', 'Tab')).code).toBe(2);
    expect((await served.fleet('keys', 'coder', 'y', '--blind', '--if-prompt', 'p')).code).toBe(2);
    expect(served.calls('pressKeys')).toHaveLength(1);
  });

  test('an answer is to the prompt that was seen, and to no other', async () => {
    served.answers.answerPrompt = () => outcome({ verb: 'answer', outcome: 'prompt-changed' });
    const { code, stdout, stderr } = await served.fleet('answer', 'coder', '2', '--prompt', 'p1');
    expect(code).toBe(8);
    expect(stdout).toBe(`prompt-changed: ${orderWords('prompt-changed')}\n`);
    expect(stderr).toContain('what it asks now: fleet explain W-jarvis/jarvis/coder\n');
    expect(served.calls('answerPrompt')[0]?.request).toMatchObject({ promptId: 'p1', choice: '2', timeoutMs: 15_000 });
  });

  test('without a prompt nothing is answered', async () => {
    const { code, stderr } = await served.fleet('answer', 'coder', '2');
    expect(code).toBe(2);
    expect(stderr).toContain('fleet explain coder shows it');
    expect(served.heard).toEqual([]);
  });
});
