import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ORDER_OUTCOMES, orderEffect, orderExitCode } from '../../../src/domain/order.ts';
import { outcome, ServedOrders, WHO_AM_I } from './served-orders.ts';

let served: ServedOrders;

beforeEach(async () => {
  served = await ServedOrders.begun();
});

afterEach(() => served.dispose());

describe('fleet send', () => {
  test('the address is said before anything is typed; the outcome is one line', async () => {
    const { code, stdout, stderr } = await served.fleet('send', 'coder', 'run', 'the tests', '--id', 'mine-1');
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'accepted: the agent took the message\n',
      stderr: 'home/W-jarvis/jarvis/coder · order mine-1\n',
    });
    expect(served.calls('sendText')).toEqual([
      {
        by: 'host-agent',
        call: 'sendText',
        request: {
          id: 'mine-1',
          target: { hostAgent: 'W-jarvis/jarvis', key: 'k:coder', paneId: '%1', panePid: 4321 },
          sender: { host: 'W-jarvis', session: 'operator' },
          text: 'run the tests',
          verify: true,
          timeoutMs: 30_000,
          waitIdleMs: 0,
          noLabel: false,
        },
      },
    ]);
  });

  test('its process is what the host-agent is asked about', async () => {
    served.answers.whoAmI = ({ request }) => ({ ...WHO_AM_I, session: `pid ${request.pid}` });
    const running = served.view.fleet('send', 'coder', 'x');
    expect((await running.ended).code).toBe(0);
    expect(served.calls('sendText')[0]?.request.sender).toEqual({
      host: 'W-jarvis',
      session: `pid ${running.child.pid}`,
    });
  });

  test('that nobody reads what came of it changes neither that nor the exit code', async () => {
    served.answers.sendText = () => outcome({ outcome: 'blocked' });
    const running = served.view.fleet('send', 'coder', 'x');
    running.child.stdout?.destroy();
    expect((await running.ended).code).toBe(8);
  });

  test('a host-agent that cannot tell whose process it is proves nothing', async () => {
    served.answers.whoAmI = () => WHO_AM_I;
    await served.fleet('send', 'coder', 'x');
    expect(served.calls('sendText')[0]?.request.sender.session).toBe('unproven');
  });

  test('what was asked for beside the text travels with it', async () => {
    await served.fleet('send', 'coder', 'x', '--no-verify', '--no-label', '--timeout', '45', '--wait-idle=2m');
    expect(served.calls('sendText')[0]?.request).toMatchObject({
      verify: false,
      noLabel: true,
      timeoutMs: 165_000,
      waitIdleMs: 120_000,
      sender: undefined,
    });
    expect(served.calls('whoAmI')).toEqual([]);
    await served.fleet('send', 'coder', '--wait-idle', 'x');
    expect(served.calls('sendText')[1]?.request).toMatchObject({ text: 'x', waitIdleMs: 600_000 });
  });

  test.each(ORDER_OUTCOMES.filter((name) => name !== 'unknown'))(
    '%s is told in words, and by its exit code',
    async (name) => {
      served.answers.sendText = () => outcome({ outcome: name, reason: 'as the host says' });
      const { code, stdout } = await served.fleet('send', 'coder', 'x');
      const certain = orderEffect(name) === 'nothing' ? '; nothing was typed' : '';
      expect({ code, stdout }).toEqual({ code: orderExitCode(name), stdout: `${name}: as the host says${certain}\n` });
    },
  );

  test('an outcome of a newer host is a failure, and its reason is shown safely', async () => {
    served.answers.sendText = () => outcome({ outcome: 'levitated', reason: 'up\x1b]0;evil\x07' });
    const { code, stdout } = await served.fleet('send', 'coder', 'x');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^levitated: /);
    expect(stdout).toContain('up␛]0;evil␇');
  });

  test('json carries id, address, outcome and reason', async () => {
    served.answers.sendText = ({ request }) =>
      outcome({ id: request.id, outcome: 'draft', reason: 'it stands there', beganMs: 1_000, repeated: true });
    const { code, stdout } = await served.fleet('send', 'coder', 'x', '-o', 'json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      schema: 'fleet.order/v1',
      id: served.calls('sendText')[0]?.request.id,
      address: 'home/W-jarvis/jarvis/coder',
      verb: 'send',
      outcome: 'draft',
      reason: 'it stands there',
      actor: 'local:jarvis',
      began: '1970-01-01T00:00:01.000Z',
      ended: null,
      repeated: true,
    });
    expect(JSON.parse(stdout).id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('a lone - is stdin, without its last line end', async () => {
    expect((await served.fleetReading('first\nsecond ␛ ü\n', 'send', 'coder', '-')).code).toBe(0);
    expect(served.calls('sendText')[0]?.request.text).toBe('first\nsecond ␛ ü');
  });

  test.each([
    ['nothing', ''],
    ['blanks only', ' \n\t\n'],
    ['control characters only', '\x1b\x07\n'],
    ['bytes that are no text', Buffer.from([0x66, 0xff, 0xfe])],
    ['more than fits', 'x'.repeat(256 * 1024 + 1)],
  ])('%s on stdin is refused before anybody is asked', async (_, input) => {
    const { code, stdout, stderr } = await served.fleetReading(input, 'send', 'coder', '-');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(served.heard).toEqual([]);
  });

  test('as much as fits is sent whole', async () => {
    const text = 'ü'.repeat(128 * 1024);
    expect((await served.fleetReading(`${text}\n`, 'send', 'coder', '-')).code).toBe(0);
    expect(served.calls('sendText')[0]?.request.text === text).toBe(true);
  });

  test.each([
    [['coder', ''], 'the message is empty'],
    [['coder', 'x', '--timeout', '11m'], '--timeout "11m": 1s to 10m'],
    [['coder', 'x', '--wait-idle=soon'], '--wait-idle "soon"'],
    [['coder', 'x', '--id', '../x'], 'no id of an order'],
    [['coder'], 'something is missing'],
  ])('fleet send %j is wrong usage', async (args, words) => {
    const { code, stderr } = await served.fleet('send', ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
    expect(served.calls('sendText')).toEqual([]);
  });
});
