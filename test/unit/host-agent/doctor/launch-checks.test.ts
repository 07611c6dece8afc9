import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { launches } from '../../../../host-agent/doctor/launch-checks.ts';
import { parseRoster } from '../../../../src/roster/parse.ts';
import { agentRow } from '../../../helpers/agent-row.ts';
import { DoctorGround } from '../../../helpers/doctor-ground.ts';

let ground: DoctorGround;
beforeEach(() => {
  ground = new DoctorGround();
});
afterEach(() => ground[Symbol.dispose]());

const RUNTIME = 'runtime-of-this-test';

/** One agent `coder`, in its own unit or on a shared server. */
const roster = (layout: 'isolated' | 'shared', more = ''): void => {
  const text = `version: 2\ntransport: tmux\nagents:\n  - name: coder\n    runtime: ${RUNTIME}\n    layout: ${layout}\n    working_directory: ${ground.home}\n${more}`;
  ground.readings.roster.roster = parseRoster(text, 'roster.yaml').roster;
  expect(ground.readings.roster.roster).not.toBeNull();
  ground.rows = [agentRow({ agent: 'coder' })];
  const launcher = ground.write('.local/share/fleet/current/bin/fleet-launch', '');
  chmodSync(launcher, 0o755);
};

test('a runtime that only a login shell would find is found as a launch finds it', async () => {
  roster('isolated');
  const program = ground.write(`.npm-global/bin/${RUNTIME}`, '#!/bin/sh\n', 0o755);
  expect(await launches(ground.options())).toEqual([{ check: 'runtimes', outcome: 'ok', what: program }]);
});

test.for([
  ['isolated', 'failed', /^its next start is refused$/],
  ['shared', 'warning', /its unit has a launch of its own$/],
] as const)('layout %s: a runtime that is nowhere on its PATH is %s', async ([layout, outcome, why]) => {
  roster(layout);
  expect(await launches(ground.options())).toMatchObject([
    {
      check: 'launch',
      outcome,
      what: expect.stringMatching(new RegExp(`^coder: ${RUNTIME} is not found on its PATH.*\\(looked in .*/usr/bin`)),
      why: expect.stringMatching(why),
    },
  ]);
});

test.for([
  [
    'dead',
    /^put the folder of it into MOSAIC_RUNTIME_BIN of \/.*\/agents\/coder\.env, or install it; then fleet start coder$/,
  ],
  ['working', /, or install it; then fleet restart coder when it can be spared$/],
] as const)(
  'of a %s agent whose runtime is not found, the mend names the file and the next command',
  async ([readiness, mend]) => {
    roster('isolated');
    ground.rows = [agentRow({ agent: 'coder', readiness })];
    expect(await launches(ground.options())).toMatchObject([{ mend: expect.stringMatching(mend) }]);
  },
);

test('a folder that its runtime does not trust yet is mended by an answer at its own prompt', async () => {
  const text = `version: 2\nagents:\n  - name: coder\n    runtime: claude\n    layout: isolated\n    working_directory: ${ground.home}\n`;
  roster('isolated');
  ground.readings.roster.roster = parseRoster(text, 'roster.yaml').roster;
  ground.write('.local/bin/claude', '', 0o755);
  const found = await launches(ground.options());
  expect(found.map(({ what }) => what)).toContainEqual(expect.stringContaining('claude has not been told to trust'));
  expect(found.at(-1)).toMatchObject({ mend: 'fleet attach coder, and answer its prompt there' });
});

test('the env file decides where it is looked for', async () => {
  roster('isolated');
  const program = ground.write(`opt/${RUNTIME}`, '#!/bin/sh\n', 0o755);
  ground.write('.config/mosaic/fleet/agents/coder.env', `MOSAIC_RUNTIME_BIN=${join(ground.home, 'opt')}\n`);
  expect(await launches(ground.options())).toMatchObject([{ check: 'runtimes', what: program }]);
});

test('of a file of secrets no word is told', async () => {
  roster('isolated', '    env_file: ~/secrets.env\n');
  ground.write(`.local/bin/${RUNTIME}`, '', 0o755);
  ground.write('secrets.env', 'swordfish and nothing else\n', 0o600);
  const found = await launches(ground.options());
  expect(found).toMatchObject([{ check: 'runtimes' }, { check: 'launch', outcome: 'warning' }]);
  expect(JSON.stringify(found)).not.toContain('swordfish');
});

test('a launcher that is not installed is told once, for agents in units of their own only', async () => {
  roster('isolated');
  ground.write(`.local/bin/${RUNTIME}`, '', 0o755);
  const options = ground.options();
  const config = { ...options.config, paths: { ...options.config.paths, share: '/nowhere' } };
  expect(await launches({ ...options, config })).toMatchObject([
    { check: 'runtimes' },
    { check: 'launcher', outcome: 'failed', what: expect.stringContaining('coder cannot start') },
  ]);
  roster('shared');
  expect(await launches({ ...ground.options(), config })).toMatchObject([{ check: 'runtimes' }]);
});

test('without a roster nothing is launched', async () => {
  expect(await launches(ground.options())).toEqual([]);
});
