import { readFileSync } from 'node:fs';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Answer, refusal } from './served-orders.ts';
import { DRAGON, JARVIS, ServedRosters } from './served-rosters.ts';

let served: ServedRosters;

beforeEach(async () => {
  served = new ServedRosters();
  await served.start();
});
afterEach(() => served.dispose());

/** As a controller answers for a host that is away, and of which it keeps nothing. */
const unlessOf =
  (id: string, answer: Answer): Answer =>
  (heard) => {
    if (heard.request.hostAgent === id) throw refusal(status.UNAVAILABLE, 'that host is away');
    return answer(heard);
  };

const roster = (...agents: string[]): string =>
  `version: 2\nagents:\n${agents.map((agent) => `- {${agent}}\n`).join('')}`;
const core = (name: string, more = ''): string => `name: ${name}, runtime: pi, lifecycle: core${more}`;

describe('the roster in force', () => {
  test('is made to be so: what only adds is not asked for, and a second apply has nothing to do', async () => {
    served.own(roster(core('a'), core('b')));
    served.row(JARVIS, 'a');
    const { code, stdout, stderr } = await served.fleet('apply', '--id', 'mine');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: [
        'W-jarvis/jarvis  this host',
        '  + b  add',
        'home/W-jarvis/jarvis/b  deploy done: done, and seen to be',
        '',
      ].join('\n'),
    });
    expect(stderr).toBe('1 to add, 1 kept\norder mine\n1 done\n');
    expect(await served.fleet('apply')).toEqual({ code: 0, stdout: '', stderr: '2 kept\nnothing to do\n' });
    expect(served.told).toEqual(['W-jarvis deploy b']);
  });

  test('that its host does not let anybody apply: nothing is begun, and the one command that grants it', async () => {
    served.host(JARVIS, 'lifecycle');
    served.own(roster(core('a')));
    const { code, stdout } = await served.fleet('apply');
    expect(code).toBe(8);
    expect(stdout).toContain(
      'home/W-jarvis/jarvis/a  deploy refused: its policy lets callers only lifecycle; ' +
        'fleet host control W-jarvis deploy allows it; nothing was changed\n',
    );
    expect(served.told).toEqual([]);
  });

  test('that a hand changed: what still runs as before is launched anew, what only lacks a unit gets one', async () => {
    served.own(roster(core('a'), core('b')));
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
    served.own(roster(core('a')));
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
    served.own(roster(core('a')));
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

const FLEET = `version: 2
agents:
  # kept here
  - {name: a, runtime: pi, lifecycle: core, host: W-jarvis}
  # new there
  - {name: far, runtime: pi, lifecycle: core, host: dragon-lin, working_directory: /srv}
`;

describe('a file for the whole fleet', () => {
  beforeEach(() => {
    served.host(DRAGON);
    served.own(roster(core('a'), core('old')));
    served.texts.set(DRAGON.id, roster(core('far'), core('gone')));
    for (const name of ['a', 'old']) served.row(JARVIS, name);
    for (const name of ['far', 'gone']) served.row(DRAGON, name);
  });

  test('each host ends what goes, gets its part, and makes it so, in that order', async () => {
    const file = served.file('fleet.yaml', FLEET);
    const { code, stdout } = await served.fleet('apply', '-f', file, '--yes', '-o', 'json');
    expect(code).toBe(0);
    expect(served.told.filter((each) => each.startsWith('dragon'))).toEqual([
      'dragon-lin remove gone',
      'dragon-lin roster',
      'dragon-lin deploy far',
    ]);
    expect(served.told.filter((each) => each.startsWith('W-'))).toEqual(['W-jarvis remove old', 'W-jarvis roster']);
    expect(served.texts.get(DRAGON.id)).toBe(FLEET.replace(/ {2}# kept here\n.*\n/, ''));
    expect(readFileSync(served.ownPath, 'utf8')).toBe(FLEET.replace(/ {2}# new there\n.*\n/, ''));
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'fleet.apply/v1',
      complete: true,
      hosts: [
        { host: 'W-jarvis', roster: { replaced: true }, orders: [{ verb: 'remove' }, { verb: 'roster' }] },
        {
          host: 'dragon-lin',
          orders: [
            { verb: 'remove', address: 'home/dragon-lin/jwoltje/gone', outcome: 'done' },
            { verb: 'roster', address: 'home/dragon-lin/jwoltje' },
            { verb: 'deploy', address: 'home/dragon-lin/jwoltje/far' },
          ],
        },
      ],
    });
    expect(await served.fleet('apply', '-f', file)).toMatchObject({ code: 0, stderr: '2 kept\nnothing to do\n' });
  });

  test('what ends something is counted and asked for, and nothing is done where nobody can be asked', async () => {
    const { code, stderr } = await served.fleet('apply', '-f', served.file('fleet.yaml', FLEET));
    expect(code).toBe(2);
    expect(stderr).toContain('fleet: remove 2 agents and restart 1 agent on 2 hosts? Not on a terminal: add --yes\n');
    expect(served.told).toEqual([]);
  });

  test('one that cannot be removed stays in the roster, delays no other, and the next apply finishes it', async () => {
    served.ends.set('remove gone', 'failed');
    const file = served.file('fleet.yaml', FLEET);
    const { code, stderr } = await served.fleet('apply', '-f', file, '--yes', '--host', 'dragon-lin');
    expect(code).toBe(3);
    expect(stderr).toContain('1 failed, 2 done; what is not done is planned again by the next fleet apply\n');
    expect(served.texts.get(DRAGON.id)).toContain('name: gone, runtime: pi');
    served.ends.clear();
    expect((await served.fleet('apply', '-f', file, '--yes', '--host', 'dragon-lin')).code).toBe(0);
    expect(served.told.slice(-2)).toEqual(['dragon-lin remove gone', 'dragon-lin roster']);
    expect(served.texts.get(DRAGON.id)).not.toContain('gone');
  });

  test('a roster that could not be written launches nothing there, and the other host goes on', async () => {
    served.ends.set('roster dragon-lin', 'failed');
    const file = served.file('fleet.yaml', FLEET);
    const { code, stdout } = await served.fleet('apply', '-f', file, '--yes');
    expect(code).toBe(3);
    expect(stdout).toContain('home/dragon-lin/jwoltje/far  deploy refused: not begun: the roster was not written');
    expect(served.told).toContain('W-jarvis roster');
    expect(served.told).not.toContain('dragon-lin deploy far');
  });

  test('the same --id gives the same step the same id, and no two the same', async () => {
    const file = served.file('fleet.yaml', FLEET);
    const ids = async (): Promise<string[]> => {
      served.ends.set('remove gone', 'refused').set('remove old', 'refused').set('roster dragon-lin', 'refused');
      await served.fleet('apply', '-f', file, '--yes', '--id', 'mine');
      return served.orders.calls('controlAgent').map(({ request }) => `${request.action} ${request.id}`);
    };
    const first = await ids();
    const both = await ids();
    expect(new Set(first).size).toBe(first.length);
    expect(new Set(both)).toEqual(new Set(first));
    expect(first.every((each) => / mine\.[0-9a-f]{12}$/.test(each))).toBe(true);
  });

  test('what a host that is away should be told waits at its controller, in its order, and the others are done', async () => {
    served.host(DRAGON, 'deploy', { link: { state: 'lost', reason: 'silent', ageMs: 134_000 }, heardAgeMs: 134_000 });
    served.stored.add(DRAGON.id);
    const file = served.file('fleet.yaml', FLEET);
    const { code, stdout } = await served.fleet('apply', '-f', file, '--yes', '--expires', '2h');
    expect(code).toBe(3);
    expect(stdout).toContain(
      'home/dragon-lin/jwoltje/far  deploy pending: waiting: its host is away; given when it is back, until 2026-01-01T02:00:00.000Z\n',
    );
    expect(served.intents).toEqual(['remove roster:gone', 'roster', 'deploy roster:far']);
    expect(served.told).toEqual(['W-jarvis remove old', 'W-jarvis roster']);
  });

  test('a host that is away, of which no roster is kept, is told so, and the others are done', async () => {
    served.orders.answers.getRoster = unlessOf(DRAGON.id, served.orders.answers.getRoster!);
    served.host(DRAGON, 'deploy', { link: { state: 'lost', reason: 'silent', ageMs: 134_000 }, heardAgeMs: 134_000 });
    const { code, stdout } = await served.fleet('apply', '-f', served.file('fleet.yaml', FLEET), '--yes');
    expect(code).toBe(3);
    expect(stdout).toMatch(
      /home\/dragon-lin\/jwoltje\/gone {2}remove refused: dragon-lin\/jwoltje cannot be asked now \(lost/,
    );
    expect(served.told).toEqual(['W-jarvis remove old', 'W-jarvis roster']);
  });
});

describe('a roster that is another by now', () => {
  const FILE = roster(core('a', ', host: W-jarvis'), core('b', ', host: W-jarvis'));

  test('is refused with what differs, and --force goes over it', async () => {
    served.own(`${roster(core('a'))}# as planned\n`);
    served.row(JARVIS, 'a');
    const answer = served.orders.answers.getRoster!;
    served.orders.answers.getRoster = (heard) => {
      const told = answer(heard);
      served.texts.set(JARVIS.id, `${roster(core('a'))}# by another hand\n`);
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
    roster(...['a', 'b', 'c'].map((name) => core(name, `, host: W-jarvis, model_hint: ${model}`)));

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
      served.file('f.yaml', roster(core('a', ', host: W-jarvis'))),
      '--yes',
    );
    expect(code).toBe(8);
    expect(stdout).toContain('a would leave the tmux server that others share: fleet apply --migrate');
    expect(served.told).toEqual([]);
  });
});

test('what a hand took out of the roster, and its own unit brings back at boot, is named before the plan', async () => {
  served.own(roster(core('a')));
  served.row(JARVIS, 'a');
  served.leftOver = ['old'];
  const { stderr } = await served.fleet('apply', '--dry-run');
  expect(stderr).toMatch(/old is in no roster there.*systemctl --user disable --now mosaic-agent@old\.service\n/);
});

describe('--migrate', () => {
  const V1 =
    '# ours\nversion: 1\ntmux: {socket_name: s}\nagents:\n- {name: a, runtime: pi}\n- {name: b, runtime: pi}\n- {name: c, runtime: pi}\n';

  beforeEach(() => {
    served.own(V1);
    for (const name of ['a', 'b', 'c']) served.row(JARVIS, name, { lifecycle: null });
  });

  test('moves one agent after the other, each written into the roster by itself', async () => {
    served.ends.set('deploy b', 'failed');
    const { code } = await served.fleet('apply', '--migrate', '--yes');
    expect(code).toBe(3);
    expect(served.told).toEqual([
      'W-jarvis roster',
      'W-jarvis deploy a migrate',
      'W-jarvis roster',
      'W-jarvis deploy b migrate',
    ]);
    expect(served.texts.get(JARVIS.id)).toBe(
      V1.replace('version: 1', 'version: 2')
        .replace('agents:', 'defaults:\n  layout: shared\nagents:')
        .replace(/name: ([ab]), runtime: pi/g, 'name: $1, runtime: pi, layout: isolated'),
    );
    served.ends.clear();
    expect((await served.fleet('apply', '--migrate=c', '--yes')).code).toBe(0);
    expect(served.told.slice(-2)).toEqual(['W-jarvis roster', 'W-jarvis deploy c migrate']);
  });

  test('leaves one where it is whose name only a shared server can have, says why, and moves the others', async () => {
    served.own(V1.replace('name: b', 'name: b.b'));
    served.row(JARVIS, 'b.b', { lifecycle: null });
    const { code, stdout } = await served.fleet('apply', '--migrate', '--yes');
    expect(code).toBe(3);
    expect(stdout).toMatch(/\/b\.b {2}deploy refused: .*`b\.b`: tmux would rename it `b_b`/);
    expect(served.told.filter((words) => words.includes('deploy'))).toEqual([
      'W-jarvis deploy a migrate',
      'W-jarvis deploy c migrate',
    ]);
    expect(served.texts.get(JARVIS.id)).toContain('- {name: b.b, runtime: pi}\n');
  });

  test('goes on with one whose roster was written, and which was not moved', async () => {
    served.own(
      V1.replace('version: 1', 'version: 2\ndefaults: {layout: shared}').replace(
        '{name: a,',
        '{name: a, layout: isolated,',
      ),
    );
    served.undeployed = [{ agent: 'a', reason: 'it runs on a shared tmux server', restart: true, moves: true }];
    expect((await served.fleet('apply', '--migrate=a', '--yes')).code).toBe(0);
    expect(served.told).toEqual(['W-jarvis deploy a migrate']);
    await served.fleet('apply', '--migrate', '--yes');
    expect(served.told.slice(1, 4)).toEqual([
      'W-jarvis deploy a migrate',
      'W-jarvis roster',
      'W-jarvis deploy b migrate',
    ]);
  });

  test('asks before, and is for the roster in force', async () => {
    expect((await served.fleet('apply', '--migrate')).stderr).toContain(
      'restart 3 agents on 1 host? Not on a terminal',
    );
    expect((await served.fleet('apply', '--migrate', '-f', served.ownPath)).code).toBe(2);
    expect((await served.fleet('apply', '--migrate=nosuch', '--yes')).code).toBe(4);
    expect(served.told).toEqual([]);
  });
});
