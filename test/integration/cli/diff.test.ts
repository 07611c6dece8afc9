import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { rosterDigest } from '../../../src/roster/digest.ts';
import { agentRow } from '../../helpers/agent-row.ts';
import { type Ran, runFleetProgram } from '../../helpers/fleet-program.ts';
import { ServedView } from '../../helpers/served-view.ts';
import { DRAGON, paneRow } from './served-orders.ts';

let served: ServedView;

/** Of dragon-lin, as its host-agent tells it. */
let far: { text: string; env: { agent: string; variables: Record<string, string> }[] };

beforeEach(async () => {
  served = new ServedView();
  far = { text: '', env: [] };
  served.calls.getRoster = ({ request }, reply) => {
    if (request.hostAgent !== DRAGON.id)
      return reply({ code: status.UNIMPLEMENTED, details: 'a host-agent of before' });
    reply(null, {
      path: '/r.yaml',
      ...far,
      digest: far.text === '' ? '' : rosterDigest(far.text),
      problem: '',
      asOfMs: 0,
      stored: false,
      undeployed: [],
      orphans: [],
      operatorUnits: [],
      leftOver: [],
    });
  };
  await served.start();
});
afterEach(() => served.dispose());

const fleet = (...args: string[]): Promise<Ran> =>
  runFleetProgram(['--instance', served.instance, ...args], { HOME: served.home });

/** Writes below this user's Mosaic home. */
const write = (name: string, text: string): string => {
  const path = join(served.paths.mosaicHome, 'fleet', name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
  return path;
};

const canary = paneRow('canary-pi', '%0', 1);
const reviewer = paneRow('reviewer', '%1', 2, { role: null, runtimeSeen: 'stub', flags: ['DRIFT'], order: 1 });
const coder = paneRow('coder', '%2', 3, { role: null, model: 'old' });
const lost = { state: 'lost', reason: 'silent', ageMs: 134_000 };

const CANARY = '- {name: canary-pi, runtime: pi, class: canary, lifecycle: core}\n';
const REVIEWER = '- {name: reviewer, runtime: pi, lifecycle: core}\n';
const roster = (...agents: string[]): string => `version: 2\nagents:\n${agents.join('')}`;

describe('the roster in force', () => {
  test('that everything follows: nothing on stdout, 0', async () => {
    write('roster.yaml', roster(CANARY));
    served.put({ here: true }, canary);
    expect(await fleet('diff')).toEqual({ code: 0, stdout: '', stderr: '1 kept\n' });
  });

  test('differs: what it takes, and what is overridden, ends with 1', async () => {
    write(
      'roster.yaml',
      roster(CANARY.replace('class: canary', 'class: scout'), REVIEWER, '- {name: new, runtime: pi}\n'),
    );
    write('agents/canary-pi.env', 'MOSAIC_AGENT_MODEL=mine\nAPI_KEY=secret\n');
    served.put({ here: true }, canary, reviewer, agentRow({ key: 'o', agent: 'old\x1b[2J' }));
    expect(await fleet('diff')).toEqual({
      code: 1,
      stdout: [
        'W-jarvis/jarvis  this host',
        '  ~ canary-pi  change, restart',
        '      role: canary → scout',
        '      model: none overridden by mine (its env file says so); kept',
        '    reviewer   keep',
        '      runtime: pi overridden by stub (that is what runs); kept',
        '  + new        add',
        '  - old␛[2J    remove: not in this roster',
        '',
      ].join('\n'),
      stderr: '1 to add, 1 to change, 1 to remove, 2 overridden, 1 kept\n',
    });
  });

  test('is that of this host-agent alone: entries of other hosts are left out, unless one is named', async () => {
    write(
      'roster.yaml',
      roster(CANARY, '- {name: coder, runtime: pi, host: dragon-lin, lifecycle: core, model_hint: new}\n'),
    );
    served.put({ here: true }, canary);
    served.put(DRAGON, coder, agentRow({ key: 'x', agent: 'extra' }));
    expect(await fleet('diff')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '1 kept · 1 of other hosts left out: --host HOST compares them\n',
    });
    expect(await fleet('diff', '--host', 'dragon-lin')).toMatchObject({
      code: 1,
      stdout: [
        'dragon-lin/jwoltje',
        '  ~ coder  change, restart',
        '      model: old → new',
        '  - extra  remove: not in this roster',
        '',
      ].join('\n'),
    });
  });
});

describe('a file for the whole fleet', () => {
  const fleetWide = (): string =>
    write(
      'fleet.yaml',
      roster(CANARY, '- {name: coder, runtime: pi, host: jwoltje@dragon-lin, lifecycle: core, model_hint: new}\n'),
    );

  test('json has every step of every host, what is kept too', async () => {
    far.text = roster('- {name: coder, runtime: pi, lifecycle: core, model_hint: old}\n');
    served.put({ here: true }, canary);
    served.put(DRAGON, coder);
    const { code, stdout, stderr } = await fleet('diff', '-f', fleetWide(), '-o', 'json');
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    const kept = { changes: [], launch: null, because: null, overrides: [] };
    expect(JSON.parse(stdout)).toEqual({
      schema: 'fleet.plan/v1',
      cell: 'home',
      roster: join(served.paths.mosaicHome, 'fleet/fleet.yaml'),
      same: false,
      complete: true,
      hosts: [
        {
          host: 'W-jarvis',
          user: 'jarvis',
          here: true,
          current: true,
          steps: [{ action: 'keep', agent: 'canary-pi', address: 'home/W-jarvis/jarvis/canary-pi', ...kept }],
        },
        {
          host: 'dragon-lin',
          user: 'jwoltje',
          here: false,
          current: true,
          steps: [
            {
              ...kept,
              action: 'change',
              agent: 'coder',
              address: 'home/dragon-lin/jwoltje/coder',
              changes: [{ field: 'model', from: 'old', to: 'new' }],
              launch: 'restart',
            },
          ],
        },
      ],
      unplaced: [],
    });
  });

  test('is compared field by field with the roster in force here', async () => {
    write('roster.yaml', roster(CANARY.replace('}', ', working_directory: /srv, env: {A: x}}')));
    served.put({ here: true }, canary);
    const file = write('fleet.yaml', roster(CANARY.replace('}', ', env: {A: y}}')));
    const { code, stdout } = await fleet('diff', '-f', file);
    expect(code).toBe(1);
    expect(stdout).toContain('      working_directory: /srv → ~/src\n      env.A: x → y\n');
  });

  test('is compared field by field with the roster in force elsewhere, and with what a hand put over it', async () => {
    const entry =
      '- {name: coder, runtime: pi, lifecycle: core, model_hint: new, working_directory: /srv, command: ./run}\n';
    far = { text: roster(entry), env: [{ agent: 'coder', variables: { MOSAIC_AGENT_MODEL: 'mine' } }] };
    served.put({ here: true }, canary);
    served.put(DRAGON, { ...coder, model: 'new' });
    expect((await fleet('diff', '-f', fleetWide())).stdout).toBe(
      [
        'dragon-lin/jwoltje',
        '  ~ coder  change, restart',
        '      working_directory: /srv → ~/src',
        '      command: ./run → none',
        '      model: new overridden by mine (its env file says so); kept',
        '',
      ].join('\n'),
    );
  });

  test('of a host that does not tell its roster, what its rows tell is compared, and said so', async () => {
    served.calls.getRoster = (_, reply) => reply({ code: status.UNIMPLEMENTED, details: 'a host-agent of before' });
    served.stop();
    await served.start();
    served.put({ here: true }, canary);
    served.put(DRAGON, coder);
    const { stdout, stderr } = await fleet('diff', '-f', fleetWide());
    expect(stdout).toContain('      model: old → new\n');
    expect(stderr).toContain(
      'dragon-lin/jwoltje: its roster is not known, only what fleet ps tells is compared: a host-agent',
    );
  });

  test('of a host that is lost it tells what was last seen, and ends with 3', async () => {
    served.put({ here: true }, canary);
    served.put({ ...DRAGON, link: lost, heardAgeMs: 134_000 }, coder);
    const { code, stdout } = await fleet('diff', '-f', fleetWide());
    expect(code).toBe(3);
    expect(stdout).toMatch(/^dragon-lin\/jwoltje {2}lost: as last seen 2m\d+s ago\n {2}~ coder {2}change, restart\n/);
  });

  test('an entry without a place is told, and ends with 3', async () => {
    served.put({ here: true }, canary);
    expect(await fleet('diff', '-f', fleetWide())).toEqual({
      code: 3,
      stdout: '? coder (jwoltje@dragon-lin): no host dragon-lin is known\n',
      stderr: '1 without a place, 1 kept\n',
    });
  });
});

describe('what cannot be compared', () => {
  test('a wrong roster is told by file, line and column before anything is asked', async () => {
    served.stop();
    const file = write('fleet.yaml', roster(CANARY.replace('class', 'clas')));
    expect(await fleet('diff', '-f', file)).toEqual({
      code: 2,
      stdout: '',
      stderr: `fleet: ${file}:3:34: unknown key \`clas\`; did you mean \`class\`?\n`,
    });
  });

  test('no roster', async () => {
    const own = join(served.paths.mosaicHome, 'fleet/roster.yaml');
    expect(await fleet('diff')).toMatchObject({
      code: 2,
      stderr: `fleet: no roster at ${own}: fleet init writes a first one, -f FILE names another\n`,
    });
    expect(await fleet('diff', '-f', '/nosuch/f')).toMatchObject({
      code: 2,
      stderr: 'fleet: /nosuch/f: no such file\n',
    });
    expect(await fleet('diff', '-f', '/dev/null')).toMatchObject({
      code: 2,
      stderr: 'fleet: /dev/null: is no regular file\n',
    });
  });

  test('no such host; no host-agent', async () => {
    write('roster.yaml', roster(CANARY));
    served.put({ here: true }, canary);
    expect(await fleet('diff', '--host', 'nosuch')).toMatchObject({ code: 4, stdout: '' });
    served.stop();
    expect(await fleet('diff')).toMatchObject({ code: 5, stdout: '' });
  });

  test('a roster in force that broke is told, and its host-agent’s last good one is compared', async () => {
    const own = write('roster.yaml', 'agents: [\n');
    const file = write('fleet.yaml', roster(CANARY.replace('class: canary', 'class: scout')));
    served.put({ here: true }, canary);
    const { code, stdout, stderr } = await fleet('diff', '-f', file);
    expect({ code, stdout }).toMatchObject({ code: 1, stdout: expect.stringContaining('role: canary → scout') });
    expect(stderr).toContain(`the roster in force cannot be read: ${own}:2:1: no valid YAML`);
  });
});
