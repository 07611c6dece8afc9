import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { rememberHost } from '../../../../src/cli/ssh/remembered-hosts.ts';
import { parseSshTarget } from '../../../../src/cli/ssh/ssh-target.ts';
import { upgradePlan } from '../../../../src/cli/ssh/upgrade-targets.ts';
import { exitCodeOfTold, type HostTold, nextWords, toldJson, toldLine } from '../../../../src/cli/ssh/upgrade-told.ts';
import { type Paths, resolvePaths } from '../../../../src/runtime/paths.ts';

let home: string;
let paths: Paths;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'fleet-upgrade-'));
  paths = resolvePaths({ home, uid: 4_000_000, env: {} });
  await rememberHost(paths, 'dragon-lin', 'jwoltje', parseSshTarget('jwoltje@dragon-lin'));
  await rememberHost(paths, 'dragon-lin', 'acme', parseSshTarget('acme@dragon-lin', { port: '2222' }));
  await rememberHost(paths, 'gone', 'u', parseSshTarget('u@gone'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const hosts = [
  { id: 'W-jarvis/jarvis', host: 'W-jarvis' },
  { id: 'dragon-lin/acme', host: 'dragon-lin' },
  { id: 'dragon-lin/jwoltje', host: 'dragon-lin' },
  { id: 'joined/u', host: 'joined' },
];
const plan = (...named: string[]) => upgradePlan(paths, { named, hosts, hereId: 'W-jarvis/jarvis', ssh: {} });
const idsOf = ({ targets }: Awaited<ReturnType<typeof plan>>) => targets.map(({ id }) => id);

describe('the hosts of an upgrade', () => {
  test('are without names this machine, and every enrolled host that ssh is known to reach; others are told', async () => {
    const all = await plan();
    expect([all.here, idsOf(all), all.outOfReach]).toEqual([
      'W-jarvis/jarvis',
      ['dragon-lin/acme', 'dragon-lin/jwoltje'],
      ['joined/u'],
    ]);
    expect(all.targets[0]?.ssh).toMatchObject({ user: 'acme', port: 2222 });
  });

  test('are those that were named, each once, all users of a host, and a machine by its ssh name', async () => {
    const some = await plan('dragon-lin', 'dragon-lin', 'u@joined');
    expect([some.here, idsOf(some)]).toEqual([null, ['dragon-lin/acme', 'dragon-lin/jwoltje', null]]);
    expect((await plan('W-jarvis')).here).toBe('W-jarvis/jarvis');
  });

  test('are refused where a name is none, or no ssh leads there', async () => {
    await expect(plan('dragon')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('no host is enrolled as dragon: one of W-jarvis, dragon-lin, joined'),
    });
    await expect(plan('joined')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('joined/u was not added over ssh from here: name it as USER@MACHINE'),
    });
  });
});

describe('what became of the hosts', () => {
  const told = (outcome: HostTold['outcome'], exitCode: number, id = 'a/u'): HostTold => ({
    id,
    outcome,
    exitCode,
    reason: 'born \x1b[31mbroken',
    from: 'old',
  });

  test('ends as they all did, and partly where some are at this version and some are not', () => {
    expect(exitCodeOfTold([])).toBe(0);
    expect(exitCodeOfTold([told('unchanged', 0), told('upgraded', 0)])).toBe(0);
    expect(exitCodeOfTold([told('failed', 5), told('failed', 5)])).toBe(5);
    expect(exitCodeOfTold([told('rolled-back', 1), told('failed', 5)])).toBe(1);
    expect(exitCodeOfTold([told('upgraded', 0), told('failed', 5)])).toBe(3);
  });

  test('says which host runs what, and which are left to do, by the names that can be typed', () => {
    expect(nextWords([told('upgraded', 0)])).toEqual([]);
    expect(nextWords([told('rolled-back', 1), told('not-begun', 1, 'b/u'), told('not-begun', 1, 'b/v')])).toEqual([
      'a/u runs old again: fleet doctor a',
      'go on with: fleet host upgrade b',
    ]);
    expect(nextWords([told('failed', 5, 'u@machine')])).toEqual(['go on with: fleet host upgrade u@machine']);
  });

  test('is a line for people, cleaned, and whole for programs', () => {
    expect(toldLine(told('upgraded', 0), 'new')).toBe('a/u  upgraded  old to new');
    expect(toldLine(told('rolled-back', 1), 'new')).not.toContain('\x1b');
    expect(JSON.parse(toldJson([told('failed', 5, 'u@machine'), told('would', 0)], 'new', 'home'))).toMatchObject({
      to: 'new',
      hosts: [
        { id: 'u@machine', address: null, outcome: 'failed' },
        { id: 'a/u', address: 'home/a/u', from: 'old' },
      ],
    });
  });
});
