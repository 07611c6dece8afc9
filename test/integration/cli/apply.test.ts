import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { core, JARVIS, rosterOf, ServedRosters } from './served-rosters.ts';

let served: ServedRosters;

beforeEach(async () => {
  served = new ServedRosters();
  await served.start();
});
afterEach(() => served.dispose());

describe('the roster in force', () => {
  test('is made to be so: what only adds is not asked for, and a second apply has nothing to do', async () => {
    served.own(rosterOf(core('a'), core('b')));
    served.row(JARVIS, 'a');
    const { code, stdout, stderr } = await served.fleet('apply', '--id', 'mine');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: [
        'W-jarvis/jarvis  this host',
        '  + b  add',
        'home/W-jarvis/jarvis/b  deploy done: seen to be so',
        '',
      ].join('\n'),
    });
    expect(stderr).toBe('1 to add, 1 kept\norder mine\n1 done\n');
    expect(await served.fleet('apply')).toEqual({ code: 0, stdout: '', stderr: '2 kept\nnothing to do\n' });
    expect(served.told).toEqual(['W-jarvis deploy b']);
  });

  test('that its host does not let anybody apply: nothing is begun, and the one command that grants it', async () => {
    served.host(JARVIS, 'lifecycle');
    served.own(rosterOf(core('a')));
    const { code, stdout } = await served.fleet('apply');
    expect(code).toBe(8);
    expect(stdout).toContain(
      'home/W-jarvis/jarvis/a  deploy refused: its policy lets callers only lifecycle; ' +
        'fleet host control W-jarvis deploy allows it; nothing was changed\n',
    );
    expect(served.told).toEqual([]);
  });

  test('that a hand changed: what still runs as before is launched anew, what only lacks a unit gets one', async () => {
    served.own(rosterOf(core('a'), core('b')));
    for (const name of ['a', 'b']) served.row(JARVIS, name);
    served.undeployed = [
      { agent: 'a', reason: 'runs what the roster said before', restart: true },
      { agent: 'b', reason: 'has no unit', restart: false },
    ];
    const { code, stdout } = await served.fleet('apply', '--yes');
    expect(code).toBe(0);
    expect(stdout).toContain('  ~ a  change, restart: runs what the roster said before\n  ~ b  change: has no unit\n');
    expect(served.told.toSorted()).toEqual(['W-jarvis deploy a', 'W-jarvis deploy b']);
  });

  test('an agent that fleet made and a hand took out of the roster is removed, and asked for before', async () => {
    served.own(rosterOf(core('a')));
    served.row(JARVIS, 'a');
    served.orphans = ['gone'];
    const asked = await served.fleet('apply');
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain('remove 1 agent');
    expect(served.told).toEqual([]);
    const { code, stdout } = await served.fleet('apply', '--yes');
    expect(code).toBe(0);
    expect(stdout).toContain('  - gone  remove: not in this roster\n');
    expect(served.told).toEqual(['W-jarvis remove gone']);
  });

  test('with --dry-run only says what it would do', async () => {
    served.own(rosterOf(core('a')));
    const { code, stdout, stderr } = await served.fleet('apply', '--dry-run', '-o', 'json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'dry run: nothing was changed\n' });
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'fleet.plan/v1',
      dry_run: true,
      hosts: [{ host: 'W-jarvis', steps: [{ action: 'add', agent: 'a' }] }],
    });
    expect(served.told).toEqual([]);
  });
});

describe('a roster that is another by now', () => {
  const FILE = rosterOf(core('a', ', host: W-jarvis'), core('b', ', host: W-jarvis'));

  test('is refused with what differs, and --force goes over it', async () => {
    served.own(`${rosterOf(core('a'))}# as planned\n`);
    served.row(JARVIS, 'a');
    const answer = served.orders.answers.getRoster!;
    served.orders.answers.getRoster = (heard) => {
      const told = answer(heard);
      served.texts.set(JARVIS.id, `${rosterOf(core('a'))}# by another hand\n`);
      return told;
    };
    const file = served.file('fleet.yaml', FILE);
    const { code, stdout, stderr } = await served.fleet('apply', '-f', file);
    expect(code).toBe(8);
    expect(stdout).toContain('home/W-jarvis/jarvis  roster refused: is another by now; nothing was changed\n');
    expect(stderr).toContain('  - # as planned\n  + # by another hand\n');
    expect(served.told).toEqual([]);
    expect((await served.fleet('apply', '-f', file, '--force')).code).toBe(0);
    expect(served.told).toEqual(['W-jarvis roster', 'W-jarvis deploy b']);
  });

  test('that cannot be read is not written over, unless by --force, which has it kept', async () => {
    served.own('agents: [\n');
    const file = served.file('fleet.yaml', FILE);
    const { code, stdout } = await served.fleet('apply', '-f', file);
    expect(code).toBe(8);
    expect(stdout).toMatch(
      /deploy refused: the roster of W-jarvis\/jarvis cannot be read: .*:2:1: no valid YAML.*--force keeps it/,
    );
    expect((await served.fleet('apply', '-f', file, '--force')).code).toBe(0);
    expect(served.orders.calls('putRoster')[0]?.request).toMatchObject({ force: true, expectedDigest: '' });
  });
});

describe('restarts', () => {
  const changed = (model: string): string =>
    rosterOf(...['a', 'b', 'c'].map((name) => core(name, `, host: W-jarvis, model_hint: ${model}`)));

  beforeEach(() => {
    served.own(changed('old'));
    for (const name of ['a', 'b', 'c']) served.row(JARVIS, name, { model: 'old' });
  });

  test('go one at a time, and end where one does not come back', async () => {
    served.ends.set('deploy b', 'failed');
    const { code, stdout } = await served.fleet('apply', '-f', served.file('f.yaml', changed('new')), '--yes');
    expect(code).toBe(3);
    expect(served.told).toEqual(['W-jarvis roster', 'W-jarvis deploy a', 'W-jarvis deploy b']);
    expect(stdout).toContain(
      'home/W-jarvis/jarvis/c  deploy refused: not begun: b did not come back; nothing was changed\n',
    );
  });

  test('of an agent that would leave its shared tmux server are refused before anything is done', async () => {
    served.own('version: 1\nagents:\n- {name: a, runtime: pi}\n');
    const { code, stdout } = await served.fleet(
      'apply',
      '-f',
      served.file('f.yaml', rosterOf(core('a', ', host: W-jarvis'))),
      '--yes',
    );
    expect(code).toBe(8);
    expect(stdout).toContain('a would leave the tmux server that others share: fleet apply --migrate');
    expect(served.told).toEqual([]);
  });
});

test('what a hand took out of the roster, and its own unit brings back at boot, is named before the plan', async () => {
  served.own(rosterOf(core('a')));
  served.row(JARVIS, 'a');
  served.leftOver = ['old'];
  const { stderr } = await served.fleet('apply', '--dry-run');
  expect(stderr).toMatch(/old is in no roster there.*systemctl --user disable --now mosaic-agent@old\.service\n/);
});
