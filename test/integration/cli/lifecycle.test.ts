import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DRAGON, outcome, paneRow, refusal, ServedOrders } from './served-orders.ts';

let served: ServedOrders;

beforeEach(async () => {
  served = new ServedOrders();
  await served.start();
  served.view.put({ here: true }, paneRow('coder', '%1', 1, { role: 'coder', order: 0 }));
  served.view.put({ here: true }, paneRow('reviewer', '%2', 2, { role: 'reviewer', order: 1, tmux: null }));
  served.view.put({ here: true }, paneRow('notes', '%3', 3, { managed: false, source: 'socket', order: 2 }));
  served.view.put(DRAGON, paneRow('far', '%7', 77, { role: 'coder' }));
});
afterEach(() => served.dispose());

const told = (name = 'controlAgent') =>
  served.calls(name).map(({ request }) => `${request.action} ${request.target.key}`);
const ordersOf = (stdout: string): { id: string; address: string; outcome: string; reason: string | null }[] =>
  JSON.parse(stdout).orders;

describe('one agent', () => {
  test('is asked for by its key alone, and told in one line', async () => {
    const { code, stdout, stderr } = await served.fleet('restart', 'coder', '--id', 'mine-1');
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: 'home/W-jarvis/jarvis/coder  done: seen to be so\n',
      stderr: 'home/W-jarvis/jarvis/coder · order mine-1\n',
    });
    expect(served.calls('controlAgent')[0]?.request).toEqual({
      id: 'mine-1',
      target: { hostAgent: 'W-jarvis/jarvis', key: 'k:coder', paneId: '', panePid: 0 },
      action: 'restart',
      force: false,
      timeoutMs: 120_000,
      rosterDigest: '',
      adopt: false,
      migrate: false,
      purge: false,
    });
  });

  test('without a session can be started', async () => {
    expect((await served.fleet('start', 'reviewer', '--force')).code).toBe(0);
    expect(served.calls('controlAgent')[0]?.request).toMatchObject({ action: 'start', force: true, timeoutMs: 60_000 });
  });

  test('elsewhere is stopped only where its host was said, and started by its name', async () => {
    const bare = await served.fleet('stop', 'far');
    expect(bare).toMatchObject({ code: 8, stdout: '' });
    expect(bare.stderr).toContain('home/dragon-lin/jwoltje/far');
    expect((await served.fleet('stop', 'dragon-lin/far')).code).toBe(0);
    expect((await served.fleet('start', 'far')).code).toBe(0);
    expect(told()).toEqual(['stop k:far', 'start k:far']);
  });

  test.each([
    ['refused', 8, 'refused: as its host says; nothing was changed'],
    ['busy', 8, 'busy: as its host says; nothing was changed'],
    ['gone', 4, 'gone: as its host says; nothing was changed'],
    ['failed', 1, 'failed: as its host says'],
    ['unverifiable', 1, 'unverifiable: as its host says'],
    ['pending', 7, 'pending: as its host says'],
  ])('%s ends with %i, in the words of its host', async (name, exit, words) => {
    served.answers.controlAgent = () => outcome({ verb: 'stop', outcome: name, reason: 'as its host says' });
    const { code, stdout } = await served.fleet('stop', 'coder');
    expect({ code, stdout }).toEqual({ code: exit, stdout: `home/W-jarvis/jarvis/coder  ${words}\n` });
  });

  test('that its caller may not touch ends with 6, and nothing was changed', async () => {
    served.answers.controlAgent = () => {
      throw refusal(status.PERMISSION_DENIED, 'callers on W-jarvis may not lifecycle elsewhere');
    };
    const { code, stdout } = await served.fleet('stop', 'dragon-lin/far', '-o', 'json');
    expect(code).toBe(6);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'fleet.orders/v1',
      verb: 'stop',
      orders: [
        { address: 'home/dragon-lin/jwoltje/far', outcome: 'refused', reason: expect.stringContaining('may not') },
      ],
    });
  });
});

test('an order that nobody heard of changed nothing; one that failed says where to look', async () => {
  served.answers.controlAgent = () => outcome({ verb: 'stop', outcome: 'failed', reason: 'no session' });
  expect((await served.fleet('stop', 'coder')).stderr).toMatch(/why: fleet explain W-jarvis\/jarvis\/coder\n$/);
  served.answers.controlAgent = () => {
    throw refusal(status.UNAVAILABLE, 'the way there broke');
  };
  const lost = await served.fleet('stop', 'coder');
  expect(lost.code).toBe(5);
  expect(lost.stdout).toMatch(/refused: the way there broke; nobody has heard of it, so nothing was changed/);
});

describe('an id that is named again', () => {
  const given = (id: string, address: string) =>
    outcome({ id, address, verb: 'stop', outcome: 'done', reason: 'its session is gone' });
  const words = 'done: its session is gone; it was given before, nothing was changed again';

  test('has the same answer when its agent is gone', async () => {
    served.answers.getOrder = ({ request }) => given(request.id, 'home/W-jarvis/jarvis/old');
    expect(await served.fleet('stop', 'W-jarvis/old', '--id', 'mine')).toEqual({
      code: 0,
      stdout: `home/W-jarvis/jarvis/old  ${words}\n`,
      stderr: 'home/W-jarvis/jarvis/old · order mine\n',
    });
    const { code, stdout } = await served.fleet('stop', 'old', '--id', 'mine', '-o', 'json');
    expect({ code, orders: ordersOf(stdout) }).toMatchObject({ code: 0, orders: [{ id: 'mine', repeated: true }] });
    expect(told()).toEqual([]);
    expect((await served.fleet('restart', 'old', '--id', 'mine')).code).toBe(4);
  });

  test('of several tells of those that are gone, and asks the others', async () => {
    await served.fleet('stop', 'coder', 'notes', '--id', 'both', '--yes');
    const [, notes] = served.calls('controlAgent').map(({ request }) => request.id);
    served.view.removeRow('W-jarvis/jarvis', 'k:notes');
    served.answers.getOrder = ({ request }) => {
      if (request.id === notes) return given(notes, 'home/W-jarvis/jarvis/notes');
      throw refusal(status.NOT_FOUND, 'no such order');
    };
    const { code, stdout } = await served.fleet('stop', 'coder', 'notes', '--id', 'both', '--yes');
    expect({ code, lines: stdout.trim().split('\n') }).toEqual({
      code: 0,
      lines: [`home/W-jarvis/jarvis/notes  ${words}`, 'home/W-jarvis/jarvis/coder  done: seen to be so'],
    });
    expect((await served.fleet('stop', 'coder', 'none', '--id', 'both', '--yes')).code).toBe(4);
  });
});

describe('reset', () => {
  test('is told like a restart, one at a time on each host', async () => {
    served.answers.controlAgent = ({ request }) =>
      outcome({ verb: 'reset', outcome: 'done', reason: `by ${request.action}` });
    const { code, stdout } = await served.fleet('reset', 'coder');
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'home/W-jarvis/jarvis/coder  done: by reset\n' });
    expect((await served.fleet('reset', '--role', 'coder', '--yes')).code).toBe(0);
    expect(told()).toEqual(['reset k:coder', 'reset k:coder', 'reset k:far']);
  });

  test('of an agent elsewhere needs its host spelled out', async () => {
    expect((await served.fleet('reset', 'far')).code).toBe(8);
    expect((await served.fleet('reset', 'dragon-lin/far')).code).toBe(0);
  });
});

describe('a session in no roster', () => {
  test.each(['start', 'stop', 'restart', 'reset'])('is adopted by %s only where that is said', async (verb) => {
    await served.fleet(verb, 'notes');
    await served.fleet(verb, 'notes', '--adopt');
    expect(served.calls('controlAgent').map(({ request }) => request.adopt)).toEqual([false, true]);
  });

  test('would be done with it', async () => {
    const { stdout } = await served.fleet('stop', 'notes', '--adopt', '--dry-run');
    expect(stdout).toBe('home/W-jarvis/jarvis/notes  would stop: it is working\n');
  });
});

describe('the holder of a host', () => {
  const address = (host: string) => `home/${host}/mosaic-tmux-holder.service`;

  test('is named by its host, and asked for by its unit', async () => {
    served.answers.controlAgent = () =>
      outcome({
        verb: 'restart',
        outcome: 'refused',
        reason: '2 other sessions (a, b) would end with it',
        address: '',
      });
    const { code, stdout, stderr } = await served.fleet('restart', '--holder', 'W-jarvis', '--id', 'h-1');
    expect({ code, stdout, stderr }).toEqual({
      code: 8,
      stdout: `${address('W-jarvis/jarvis')}  refused: 2 other sessions (a, b) would end with it; nothing was changed\n`,
      stderr: `${address('W-jarvis/jarvis')} · order h-1\n`,
    });
    expect(served.calls('controlAgent')[0]?.request).toMatchObject({
      id: 'h-1',
      target: { hostAgent: 'W-jarvis/jarvis', key: 'holder:mosaic-tmux-holder.service' },
      action: 'restart',
      force: false,
    });
  });

  test('that failed has no row to be explained', async () => {
    served.answers.controlAgent = () => outcome({ verb: 'stop', outcome: 'failed', reason: 'it stayed' });
    const { code, stderr } = await served.fleet('stop', '--holder', 'dragon-lin/jwoltje', '--force');
    expect([code, stderr]).toEqual([1, expect.not.stringContaining('explain')]);
  });

  test('is only meant by a dry run', async () => {
    const { stdout } = await served.fleet('stop', '--holder', 'W-jarvis', '--dry-run');
    expect(stdout).toBe(`${address('W-jarvis/jarvis')}  would stop\n`);
    expect(told()).toEqual([]);
  });
});

describe('several agents', () => {
  test('are counted and named, and nothing is done without --yes where nobody can be asked', async () => {
    const { code, stdout, stderr } = await served.fleet('restart', '--all');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/restart 3 agents on 2 hosts: .*coder.*--yes/);
    expect(told()).toEqual([]);
  });

  test('one alone, selected on another machine, is asked for like many', async () => {
    const { code, stderr } = await served.fleet('stop', '--host', 'dragon-lin');
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/stop 1 agent on 1 host: dragon-lin\/jwoltje\/far.*--yes/),
    ]);
    expect(told()).toEqual([]);
  });

  test.each([
    [['--all'], ['far', 'coder', 'reviewer']],
    [
      ['--host', 'W-jarvis'],
      ['coder', 'reviewer'],
    ],
    [
      ['--role', 'coder'],
      ['coder', 'far'],
    ],
    [['--role', 'coder', '--host', 'dragon-lin'], ['far']],
    [
      ['coder', 'notes', 'W-jarvis/coder'],
      ['coder', 'notes'],
    ],
  ])('%j means %j', async (words, agents) => {
    const { code, stdout } = await served.fleet('restart', ...words, '--yes', '-o', 'json');
    expect(code).toBe(0);
    expect(told().sort()).toEqual(agents.map((agent) => `restart k:${agent}`).sort());
    const ids = ordersOf(stdout).map(({ id }) => id);
    expect(new Set(ids).size).toBe(agents.length);
  });

  test('some done and some not is partial; a host that does not answer delays no other', async () => {
    served.view.put({ ...DRAGON, link: { state: 'lost', reason: 'silent', ageMs: 134_000 }, heardAgeMs: 134_000 });
    const { code, stdout } = await served.fleet('stop', '--all', '--yes', '-o', 'json');
    expect(code).toBe(3);
    const outcomes = ordersOf(stdout).map(({ address, outcome: how }) => `${address.split('/').at(-1)} ${how}`);
    expect(outcomes.sort()).toEqual(['coder done', 'far refused', 'reviewer done']);
    expect(told()).not.toContain('stop k:far');
  });

  test('the same --id gives each the same id again, and no two the same', async () => {
    const ids = async () =>
      ordersOf((await served.fleet('start', '--all', '--yes', '--id', 'roll', '-o', 'json')).stdout);
    const [first, second] = [await ids(), await ids()];
    expect(second.map(({ id }) => id)).toEqual(first.map(({ id }) => id));
    expect(new Set(first.map(({ id }) => id)).size).toBe(3);
    expect(first.every(({ id }) => /^roll\.[0-9a-f]{12}$/.test(id))).toBe(true);
  });

  test('a restart that does not come back ends it on that host, and on no other', async () => {
    served.answers.controlAgent = ({ request }) =>
      outcome({ verb: 'restart', outcome: request.target.key === 'k:coder' ? 'failed' : 'done', reason: 'no session' });
    const { code, stdout } = await served.fleet('restart', '--all', '--yes');
    expect(code).toBe(3);
    expect(stdout).toContain('W-jarvis/jarvis/coder  failed: no session\n');
    expect(stdout).toContain(
      'reviewer  refused: not begun: W-jarvis/jarvis/coder did not come back; nothing was changed',
    );
    expect(stdout).toContain('dragon-lin/jwoltje/far  done');
    expect(told()).not.toContain('restart k:reviewer');
  });

  test('ndjson is one object for each, as it is over', async () => {
    const { stdout } = await served.fleet('stop', '--all', '--yes', '-o', 'ndjson');
    const lines = stdout.trim().split('\n');
    expect(lines.map((line) => Object.keys(JSON.parse(line)).slice(0, 5))).toEqual(
      Array(3).fill(['id', 'address', 'verb', 'outcome', 'reason']),
    );
  });
});

test('--dry-run says who is meant and asks nobody', async () => {
  const { code, stdout } = await served.fleet('stop', 'coder', 'notes', '--dry-run', '-o', 'json');
  expect(code).toBe(0);
  expect(ordersOf(stdout)).toMatchObject([
    { outcome: 'planned', reason: null },
    { outcome: 'refused', reason: expect.stringMatching(/^it is in no roster of its host: --adopt/) },
  ]);
  expect(told()).toEqual([]);
});

test.each([
  [['stop'], 2, /which agents/],
  [['stop', 'coder', '--all'], 2, /not both/],
  [['restart', 'coder', '--max-unavailable', '0'], 2, /max-unavailable/],
  [['start', 'coder', '--timeout', '1y'], 2, /--timeout/],
  [['start', '--role', 'nobody'], 4, /no agent of a roster fits/],
  [['start', '--host', 'nowhere'], 4, /on host nowhere/],
  [['restart', '--holder', 'nowhere'], 4, /no host nowhere/],
  [['restart', 'coder', '--holder', 'W-jarvis'], 2, /the holder alone/],
  [['stop', '--all', '--adopt'], 2, /--adopt needs agents by name/],
  [['reset', '--holder', 'W-jarvis'], 2, /unknown flag --holder/],
])('%j is refused before anybody is asked', async (words, exit, reason) => {
  const { code, stdout, stderr } = await served.fleet(...words);
  expect({ code, stdout }).toEqual({ code: exit, stdout: '' });
  expect(stderr).toMatch(reason);
  expect(told()).toEqual([]);
});
