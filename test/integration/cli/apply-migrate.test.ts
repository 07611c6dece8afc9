import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JARVIS, ServedRosters } from './served-rosters.ts';

let served: ServedRosters;

beforeEach(async () => {
  served = new ServedRosters();
  await served.start();
});
afterEach(() => served.dispose());

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
