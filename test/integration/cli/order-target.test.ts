import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DRAGON, outcome, paneRow, refusal, ServedOrders } from './served-orders.ts';

let served: ServedOrders;

beforeEach(async () => {
  served = await ServedOrders.begun();
});

afterEach(() => served.dispose());

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

describe('an id that is named again when its agent is gone', () => {
  const before = { id: 'a', address: 'home/W-jarvis/jarvis/gone', outcome: 'accepted' };

  test('tells what became of it then, and gives nothing', async () => {
    served.answers.getOrder = () => outcome(before);
    expect(await served.fleet('send', 'gone', 'x', '--id', 'a')).toEqual({
      code: 0,
      stdout: 'accepted: the agent took the message; it was given before, nothing was typed again\n',
      stderr: 'home/W-jarvis/jarvis/gone · order a\n',
    });
    served.view.put({ here: true }, { ...paneRow('gone', '%3', 6), tmux: null });
    expect((await served.fleet('send', 'gone', 'x', '--id', 'a')).code).toBe(0);
    expect(served.calls('sendText')).toEqual([]);
  });

  test('is an error as before where it was another order, or none', async () => {
    for (const other of [{ verb: 'keys' }, { address: 'home/W-jarvis/jarvis/other' }, { address: '' }]) {
      served.answers.getOrder = () => outcome({ ...before, ...other });
      expect(await served.fleet('send', 'gone', 'x', '--id', 'a')).toMatchObject({ code: 4, stdout: '' });
    }
    served.answers = {};
    expect((await served.fleet('send', 'gone', 'x', '--id', 'a')).stderr).toBe(
      'fleet: no agent "gone": fleet ps lists them\n',
    );
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
