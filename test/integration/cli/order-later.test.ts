import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { orderWords } from '../../../src/domain/order.ts';
import { until } from '../../helpers/until.ts';
import { outcome, refusal, ServedOrders } from './served-orders.ts';

const SLOW = { timeoutMs: 60_000 };
let served: ServedOrders;

beforeEach(async () => {
  served = await ServedOrders.begun();
});

afterEach(() => served.dispose());

describe('a lost reply', () => {
  test('is asked after under the same id, and nothing is sent twice', async () => {
    let asked = 0;
    served.answers.sendText = () => {
      served.view.stop();
      void served.view.start();
      return undefined;
    };
    served.answers.getOrder = ({ request }) => {
      asked += 1;
      return outcome({ id: request.id, outcome: asked < 3 ? 'pending' : 'queued-by-agent', reason: '' });
    };
    const { code, stdout, stderr } = await served.fleet('send', 'coder', 'x', '--id', 'once');
    expect({ code, stdout }).toEqual({ code: 0, stdout: `queued-by-agent: ${orderWords('queued-by-agent')}\n` });
    expect(stderr).toContain('; asking what became of order once\n');
    expect(served.calls('sendText')).toHaveLength(1);
    expect(served.calls('getOrder').map(({ request }) => request.id)).toEqual(['once', 'once', 'once']);
  });

  test('of an order that nobody ever recorded was of no effect', async () => {
    served.answers.sendText = () => {
      throw refusal(status.UNAVAILABLE, 'the way to dragon-lin broke');
    };
    const { code, stdout, stderr } = await served.fleet('send', 'coder0-0', 'x', '--id', 'o1');
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toContain('fleet: the way to dragon-lin broke; nobody has heard of it, so nothing was typed');
  });

  test('a person who leaves is told how to ask later', async () => {
    served.answers.sendText = () => undefined;
    const running = served.view.fleet('send', 'coder', 'x', '--id', 'o2');
    await until(() => served.calls('sendText').length === 1, SLOW);
    running.child.kill('SIGINT');
    const { code, stderr } = await running.ended;
    expect(code).toBe(130);
    expect(stderr).toContain(`left; the order may go on: fleet --instance ${served.view.instance} order o2\n`);
  });
});

describe('fleet order', () => {
  const record = outcome({ id: 'o', address: 'home/W-jarvis/jarvis/coder', outcome: 'unverifiable' });

  test('tells what became of it, and ends as it did', async () => {
    served.answers.getOrder = () => record;
    expect(await served.fleet('order', 'o')).toEqual({
      code: 1,
      stdout: `unverifiable: ${orderWords('unverifiable')}\n`,
      stderr:
        'home/W-jarvis/jarvis/coder · send by local:jarvis\n' +
        'look before you repeat it: fleet watch W-jarvis/jarvis/coder\n',
    });
  });

  test('the controller of this user is asked for what the host-agent does not know', async () => {
    await served.startController();
    served.answers.getOrder = ({ by }) => {
      if (by === 'controller') return record;
      throw refusal(status.NOT_FOUND, 'no such order');
    };
    expect(JSON.parse((await served.fleet('order', 'o', '-o', 'json')).stdout)).toMatchObject({
      id: 'o',
      outcome: 'unverifiable',
    });
  });

  test('an order that nobody knows is not found', async () => {
    expect(await served.fleet('order', 'o')).toEqual({ code: 4, stdout: '', stderr: 'fleet: no such order\n' });
  });
});
