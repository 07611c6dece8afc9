import { readFileSync } from 'node:fs';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Answer, refusal } from './served-orders.ts';
import { core, DRAGON, JARVIS, rosterOf, ServedRosters } from './served-rosters.ts';

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
    served.own(rosterOf(core('a'), core('old')));
    served.texts.set(DRAGON.id, rosterOf(core('far'), core('gone')));
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
