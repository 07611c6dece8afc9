import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../helpers/until.ts';
import { DRAGON, paneRow, ServedOrders } from './served-orders.ts';

const SOON = { timeoutMs: 60_000 };
const MINE = 'W-jarvis/jarvis';
const LOST = { ...DRAGON, link: { state: 'lost', reason: 'silent', ageMs: 60_000 }, heardAgeMs: 60_000 } as const;
const blocked = {
  readiness: 'stuck',
  reason: 'waits for approval',
  reasonCode: 'approval',
  attention: { id: '3f9a', need: 'approval', sinceMs: null, rule: 'r', summary: 'wants to run make' },
} as const;
let served: ServedOrders;

beforeEach(async () => {
  served = new ServedOrders();
  await served.start();
  served.view.put({ here: true }, paneRow('coder', '%1', 1));
});

afterEach(() => {
  served.dispose();
});

const waitFor = (...args: string[]) => served.view.fleet('wait', ...args);

/** The command is asked and has its first picture: a change from here on is told to it. */
const whenAsked = () => until(() => served.readers > 0, SOON);

describe('fleet wait', () => {
  test('what is so already ends it at once, with how the row stands', async () => {
    expect(await served.fleet('wait', 'coder', '--for', 'working')).toEqual({
      code: 0,
      stdout: 'home/W-jarvis/jarvis/coder  working\n',
      stderr: '',
    });
  });

  test('whichever of several states comes first ends it', async () => {
    const waiting = waitFor('coder', '--for', 'available,blocked', '--timeout', '1m');
    await whenAsked();
    served.view.putRow(MINE, paneRow('coder', '%1', 1, blocked));
    const { code, stdout } = await waiting.ended;
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'home/W-jarvis/jarvis/coder  stuck: waits for approval (approval)\n',
    });
  });

  test('an agent whose row leaves is gone, and for anything else that is exit 4', async () => {
    const gone = waitFor('coder', '--for', 'gone', '--timeout', '1m');
    const never = waitFor('coder', '--for', 'available', '--timeout', '1m');
    await until(() => served.readers === 2, SOON);
    served.view.removeRow(MINE, 'k:coder');
    expect(await gone.ended).toMatchObject({ code: 0, stdout: 'home/W-jarvis/jarvis/coder  gone\n' });
    const ended = await never.ended;
    expect(ended).toMatchObject({ code: 4, stdout: '' });
    expect(ended.stderr).toContain('is gone, so it cannot become available');
  });

  test('a roster’s agent without session is gone too', async () => {
    served.view.putRow(
      MINE,
      paneRow('coder', '%1', 1, { tmux: null, readiness: 'dead', reason: 'no session', flags: ['MISSING'] }),
    );
    expect(await served.fleet('wait', 'coder', '--for', 'gone')).toMatchObject({
      code: 0,
      stdout: 'home/W-jarvis/jarvis/coder  dead: no session\n',
    });
  });

  test('one that was never there: 4, but gone is so, and up on a named host is waited for', async () => {
    expect(await served.fleet('wait', 'ghost', '--for', 'available')).toMatchObject({ code: 4, stdout: '' });
    expect(await served.fleet('wait', 'ghost', '--for', 'up')).toMatchObject({ code: 4 });
    expect(await served.fleet('wait', 'ghost', '--for', 'gone')).toMatchObject({ code: 0, stdout: 'ghost  gone\n' });
    const waiting = waitFor('W-jarvis/ghost', '--for', 'up', '--timeout', '1m');
    await whenAsked();
    served.view.putRow(MINE, paneRow('ghost', '%2', 2));
    expect(await waiting.ended).toMatchObject({ code: 0, stdout: 'home/W-jarvis/jarvis/ghost  working\n' });
  });

  test('what is not so in time ends with 7, and says how it stands', async () => {
    const { code, stdout, stderr } = await served.fleet('wait', 'coder', '--for', 'blocked', '--timeout', '3s');
    expect({ code, stdout }).toEqual({ code: 7, stdout: 'home/W-jarvis/jarvis/coder  working\n' });
    expect(stderr).toBe('fleet: home/W-jarvis/jarvis/coder was not blocked within 3s\n');
  });

  test('a host that is not heard makes nothing true, not even gone: 5, and why', async () => {
    served.view.put(LOST, paneRow('coder0-0', '%7', 7));
    const asSeen = await served.fleet('wait', 'coder0-0', '--for', 'working', '--timeout', '3s');
    expect(asSeen).toMatchObject({ code: 5, stdout: 'home/dragon-lin/jwoltje/coder0-0  was working\n' });
    expect(asSeen.stderr).toContain('not current the whole time (dragon-lin/jwoltje lost, silent, last heard 1m');
    const unknown = await served.fleet('wait', 'dragon-lin/other', '--for', 'gone', '--timeout', '3s');
    expect(unknown).toMatchObject({ code: 5, stdout: 'dragon-lin/other  not seen\n' });
  });

  test('json carries the condition and the whole row', async () => {
    const { code, stdout } = await served.fleet('wait', 'coder', '--for', 'up', '-o', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'fleet.wait/v1',
      address: 'home/W-jarvis/jarvis/coder',
      outcome: 'met',
      condition: 'up',
      doubt: null,
      agent: { agent: 'coder', readiness: 'working', current: true },
    });
  });

  test('ctrl-c is no success', async () => {
    const waiting = waitFor('coder', '--for', 'blocked');
    await whenAsked();
    waiting.child.kill('SIGINT');
    expect(await waiting.ended).toMatchObject({ code: 130, stdout: '' });
  });

  test.each([
    [['coder'], '--for what? One or more of up, working, available, blocked'],
    [['coder', '--for', 'happy'], 'one of up, working'],
    [['coder', '--for', 'up', '--timeout', 'soon'], '--timeout "soon"'],
    [['a//b', '--for', 'up'], 'empty part'],
  ])('wrong words are refused: %j', async (args, words) => {
    const { code, stderr } = await served.fleet('wait', ...args);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });
});
