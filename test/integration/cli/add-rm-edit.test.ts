import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DRAGON, JARVIS, ServedRosters } from './served-rosters.ts';

let served: ServedRosters;

beforeEach(async () => {
  served = new ServedRosters();
  await served.start();
});
afterEach(() => served.dispose());

const ROSTER = `# ours
version: 2
agents:
  # the first
  - name: a
    runtime: pi
    lifecycle: core
`;
const onDisk = (): string => readFileSync(served.ownPath, 'utf8');

describe('add', () => {
  test('writes it into the roster as hands would, and starts it', async () => {
    served.own(ROSTER);
    served.row(JARVIS, 'a');
    const { code, stdout, stderr } = await served.fleet(
      ...[
        'add',
        'b',
        '--runtime',
        'pi',
        '--model',
        'm:high',
        '--lifecycle',
        'core',
        '--env',
        'PORT=80',
        '--id',
        'mine',
      ],
    );
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: [
        'W-jarvis/jarvis  this host',
        '  + b  add',
        'home/W-jarvis/jarvis  roster done: written',
        'home/W-jarvis/jarvis/b  deploy done: seen to be so',
        '',
      ].join('\n'),
      stderr: '1 to add\norder mine\n2 done\n',
    });
    expect(onDisk()).toBe(
      `${ROSTER}  - name: b\n    runtime: pi\n    model_hint: m:high\n    lifecycle: core\n    env:\n      PORT: "80"\n`,
    );
    expect(served.told).toEqual(['W-jarvis roster', 'W-jarvis deploy b']);
  });

  test('on another host, its first one, without starting it', async () => {
    served.host(DRAGON);
    const { code, stderr } = await served.fleet('add', 'x', '--host', 'dragon-lin', '--command', './run', '--no-start');
    expect(code).toBe(0);
    expect(stderr).toContain('not started: fleet apply --host dragon-lin does what is left\n');
    expect(served.texts.get(DRAGON.id)).toBe('version: 2\nagents:\n  - name: x\n    command: ./run\n');
    expect(served.told).toEqual(['dragon-lin roster']);
  });

  test('to a roster of version 1 in its own words; what that has no word for is refused', async () => {
    served.own('version: 1\nagents:\n- {name: a, runtime: pi}\n');
    expect((await served.fleet('add', 'b', '--runtime', 'pi', '--lifecycle', 'ephemeral')).code).toBe(0);
    expect(onDisk()).toContain('- {name: b, runtime: pi, reset_between_tasks: true}\n');
    const { code, stderr } = await served.fleet('add', 'c', '--runtime', 'pi', '--effort', 'high');
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/:5:\d+: `effort` needs `version: 2` at the top; nothing was changed\n$/),
    ]);
  });

  test.each([
    [['a', '--runtime', 'pi'], 8, 'names "a" already: fleet edit changes it'],
    [['a/b', '--runtime', 'pi'], 2, 'is no agent name'],
    [['b'], 2, 'needs a `runtime` or a `command`'],
    [['b', '--runtime', 'pi', '--env', 'PORT'], 2, '--env "PORT": write NAME=VALUE'],
    [['b', '--runtime', 'pi', '--host', 'nosuch'], 4, 'no host nosuch is known'],
  ])('%j is refused, and nothing is changed', async (words, exit, why) => {
    served.own(ROSTER);
    const { code, stderr } = await served.fleet('add', ...words);
    expect([code, stderr]).toEqual([exit, expect.stringContaining(why)]);
    expect([served.told, onDisk()]).toEqual([[], ROSTER]);
  });

  test('with --dry-run only says what it would do', async () => {
    served.own(ROSTER);
    const { code, stdout } = await served.fleet('add', 'b', '--runtime', 'pi', '--dry-run');
    expect([code, stdout, served.told]).toEqual([0, 'W-jarvis/jarvis  this host\n  + b  add\n', []]);
  });
});

describe('rm', () => {
  beforeEach(() => {
    served.own(ROSTER);
    served.row(JARVIS, 'a');
  });

  test('of another cell’s agent is never granted', async () => {
    const theirs = { id: 'partner/spare/ops', cell: 'partner', host: 'spare', user: 'ops' };
    served.host(theirs);
    served.row(theirs, 'builder');
    const { code, stderr } = await served.fleet('rm', 'partner/spare/ops/builder', '--yes');
    expect([code, stderr]).toEqual([
      6,
      expect.stringContaining('partner/spare/ops is of another cell: to deploy is never'),
    ]);
    expect(served.told).toEqual([]);
  });

  test('ends the agent, then takes it out of the roster; its files go only by --purge', async () => {
    const { code, stderr } = await served.fleet('rm', 'a', '--yes', '--purge');
    expect(code).toBe(0);
    expect(stderr).toMatch(/^home\/W-jarvis\/jarvis\/a\n/);
    expect(served.told).toEqual(['W-jarvis remove a purge', 'W-jarvis roster']);
    expect(onDisk()).toBe('# ours\nversion: 2\nagents: []\n');
    expect((await served.fleet('rm', 'a', '--yes')).code).toBe(4);
  });

  test('asks first, and says what of', async () => {
    const { code, stderr } = await served.fleet('rm', 'a');
    expect(code).toBe(2);
    expect(stderr).toContain(
      `end home/W-jarvis/jarvis/a and take it out of ${served.ownPath}? Not on a terminal: add --yes\n`,
    );
    expect(served.told).toEqual([]);
  });

  test('leaves one that cannot be ended where it stands', async () => {
    served.ends.set('remove a', 'failed');
    expect((await served.fleet('rm', 'a', '--yes')).code).toBe(1);
    expect([served.told, onDisk()]).toEqual([['W-jarvis remove a'], ROSTER]);
  });

  test('needs the machine of an agent elsewhere, and a roster that names it', async () => {
    served.host(DRAGON);
    served.row(DRAGON, 'far');
    expect((await served.fleet('rm', 'far', '--yes')).code).toBe(8);
    const { code, stderr } = await served.fleet('rm', 'dragon-lin/far', '--yes');
    expect([code, stderr]).toEqual([
      8,
      expect.stringContaining('home/dragon-lin/jwoltje/far is in no roster of its host'),
    ]);
  });
});

describe('edit', () => {
  beforeEach(() => {
    served.own(ROSTER);
    served.row(JARVIS, 'a');
  });

  test('sets and takes away keys of one agent, and makes it so', async () => {
    const { code } = await served.fleet(
      'edit',
      'a',
      '--set',
      'model=m',
      '--set',
      'env.A=1',
      '--unset',
      'lifecycle',
      '--yes',
    );
    expect(code).toBe(0);
    expect(onDisk()).toBe(ROSTER.replace('    lifecycle: core\n', '    model_hint: m\n    env:\n      A: "1"\n'));
    expect(served.told).toEqual(['W-jarvis roster', 'W-jarvis deploy a']);
  });

  test('that changes nothing does nothing', async () => {
    expect(await served.fleet('edit', 'a', '--set', 'runtime=pi')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('nothing to do\n'),
    });
    expect(served.told).toEqual([]);
  });

  test('asks before it restarts what runs', async () => {
    const { code, stderr } = await served.fleet('edit', 'a', '--set', 'model=m');
    expect([code, stderr]).toEqual([2, expect.stringContaining('restart 1 agent on 1 host? Not on a terminal')]);
    expect([served.told, onDisk()]).toEqual([[], ROSTER]);
  });

  test.each([
    [['--set', 'modle=x'], 'unknown key "modle"; did you mean model?'],
    [['--set', 'name=x'], '"name" is what an agent is known by'],
    [['--set', 'model'], '--set "model": write KEY=VALUE'],
    [['--set', 'layout=side'], '`agents[0].layout` must be `isolated` or `shared`, not `side`; nothing was changed'],
    [['--set', 'model=x', '--unset', 'model_hint'], 'model_hint is there twice'],
    [[], 'what shall change? --set KEY=VALUE'],
  ])('%j is told in words, and nothing is changed', async (words, why) => {
    const { code, stderr } = await served.fleet('edit', 'a', ...words);
    expect([code, stderr]).toEqual([2, expect.stringContaining(why)]);
    expect([served.told, onDisk()]).toEqual([[], ROSTER]);
  });
});
