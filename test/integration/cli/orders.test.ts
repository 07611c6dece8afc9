import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ORDER_OUTCOMES, orderEffect, orderExitCode, orderWords } from '../../../src/domain/order.ts';
import { startFleet } from '../../helpers/fleet-program.ts';
import { until } from '../../helpers/until.ts';
import { DRAGON, outcome, paneRow, refusal, ServedOrders } from './served-orders.ts';

const SLOW = { timeoutMs: 20_000 };
const coder = paneRow('coder', '%1', 4321);
const remote = paneRow('coder0-0', '%7', 77);
let served: ServedOrders;

beforeEach(async () => {
  served = new ServedOrders();
  await served.start();
  served.view.put({ here: true }, coder);
  served.view.put(DRAGON, remote);
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
    served.answers.whoAmI = ({ request }) => ({
      cell: 'home',
      host: 'W-jarvis',
      user: 'jarvis',
      version: '1',
      verbs: [],
      tenants: [],
      session: `pid ${request.pid}`,
    });
    const running = startFleet(['--instance', served.view.instance, 'send', 'coder', 'x'], { HOME: served.view.home });
    expect((await running.ended).code).toBe(0);
    expect(served.calls('sendText')[0]?.request.sender).toEqual({
      host: 'W-jarvis',
      session: `pid ${running.child.pid}`,
    });
  });

  test('a host-agent that cannot tell whose process it is proves nothing', async () => {
    served.answers.whoAmI = () => ({
      cell: 'home',
      host: 'W-jarvis',
      user: 'jarvis',
      version: '1',
      verbs: [],
      tenants: [],
    });
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

describe('the agent that is meant', () => {
  test('a row that is not current is refused, with why', async () => {
    served.view.put({ ...DRAGON, link: { state: 'lost', reason: 'silent', ageMs: 90_000 }, heardAgeMs: 90_000 });
    const { code, stdout, stderr } = await served.fleet('send', 'dragon-lin/coder0-0', 'x');
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
    expect(stderr).toMatch(
      /^fleet: the row of home.dragon-lin.jwoltje.coder0-0 is not current \(lost, silent, last heard 1m3\ds ago\): nothing was typed; fleet doctor dragon-lin.jwoltje says why\n$/,
    );
    expect(served.heard).toEqual([]);
  });

  test('an ambiguous name lists the candidates', async () => {
    served.view.put(DRAGON, paneRow('coder', '%2', 5));
    const { code, stderr } = await served.fleet('answer', 'coder', '1', '--prompt', 'p');
    expect(code).toBe(4);
    expect(stderr).toContain('home/W-jarvis/jarvis/coder, home/dragon-lin/jwoltje/coder');
    expect(served.heard).toEqual([]);
  });

  test('a bare name of elsewhere is none while not every host answers', async () => {
    served.view.put({ id: 'third/u', host: 'third', user: 'u', link: { state: 'lost', reason: 'silent', ageMs: 1 } });
    const { code, stderr } = await served.fleet('send', 'coder0-0', 'x');
    expect(code).toBe(8);
    expect(stderr).toContain('write home/dragon-lin/jwoltje/coder0-0');
    expect((await served.fleet('send', 'dragon-lin/coder0-0', 'x')).code).toBe(0);
  });

  test('nobody of that name, and one without a pane, are told apart', async () => {
    expect((await served.fleet('send', 'nobody', 'x')).code).toBe(4);
    served.view.put({ here: true }, { ...paneRow('idle', '%3', 6), tmux: null });
    const { code, stderr } = await served.fleet('send', 'idle', 'x');
    expect(code).toBe(8);
    expect(stderr).toContain('home/W-jarvis/jarvis/idle has no session');
    expect(served.heard).toEqual([]);
  });
});

describe('who is asked', () => {
  test('a relayed order that is not allowed is told in the words of the controller, with what would allow it', async () => {
    const words =
      'callers on W-jarvis may not send elsewhere: an administrator allows it with "fleet host allow W-jarvis send"';
    served.answers.sendText = () => {
      throw refusal(status.PERMISSION_DENIED, words);
    };
    expect(await served.fleet('send', 'dragon-lin/coder0-0', 'x', '--id', 'a')).toEqual({
      code: 6,
      stdout: '',
      stderr: `home/dragon-lin/jwoltje/coder0-0 · order a\nfleet: ${words}\n`,
    });
    expect(served.calls('getOrder')).toEqual([]);
  });

  test('the controller of this user is asked for agents elsewhere, and only for those', async () => {
    await served.startController();
    for (const agent of ['coder0-0', 'coder']) expect((await served.fleet('send', agent, 'x')).code).toBe(0);
    expect(served.calls('sendText').map(({ by, request }) => [by, request.target.key])).toEqual([
      ['controller', 'k:coder0-0'],
      ['host-agent', 'k:coder'],
    ]);
    expect(served.calls('sendText')[0]?.request.sender).toEqual({ host: 'W-jarvis', session: 'operator' });
  });

  test('a controller of another cell knows nothing of it', async () => {
    served.controllerCell = 'lab';
    await served.startController();
    await served.fleet('keys', 'coder0-0', 'Escape');
    expect(served.calls('pressKeys').map(({ by }) => by)).toEqual(['host-agent']);
  });
});

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
    const running = startFleet(['--instance', served.view.instance, 'send', 'coder', 'x', '--id', 'o2'], {
      HOME: served.view.home,
    });
    await until(() => served.calls('sendText').length === 1, SLOW);
    running.child.kill('SIGINT');
    const { code, stderr } = await running.ended;
    expect(code).toBe(130);
    expect(stderr).toContain(`left; the order may go on: fleet --instance ${served.view.instance} order o2\n`);
  });
});

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

describe('fleet host allow', () => {
  beforeEach(async () => {
    await served.startController();
    served.answers.allowVerbs = ({ request }) => ({ verbs: request.verbs });
  });

  test('replaces what callers there may do, and says what that is now', async () => {
    expect(await served.fleet('host', 'allow', 'W-jarvis/jarvis', 'send', 'takeover')).toEqual({
      code: 0,
      stdout: 'callers of jarvis on W-jarvis may do elsewhere: send takeover\n',
      stderr: '',
    });
    expect(JSON.parse((await served.fleet('host', 'allow', 'W-jarvis', '--none', '-o', 'json')).stdout)).toEqual({
      schema: 'fleet.allowed/v1',
      host: 'W-jarvis',
      user: null,
      verbs: [],
    });
    expect(served.calls('allowVerbs').map(({ request }) => request)).toEqual([
      { host: 'W-jarvis', user: 'jarvis', verbs: ['send', 'takeover'] },
      { host: 'W-jarvis', user: '', verbs: [] },
    ]);
  });

  test.each([['W-jarvis'], ['W-jarvis', 'send', '--none'], ['W-jarvis/', 'send'], ['a/b/c', 'send']])(
    'fleet host allow %s %s %s changes nothing',
    async (...args) => {
      expect((await served.fleet('host', 'allow', ...args)).code).toBe(2);
      expect(served.calls('allowVerbs')).toEqual([]);
    },
  );
});
