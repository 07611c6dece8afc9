import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { overrides, rosterAgainstUnits } from '../../../../host-agent/doctor/roster-checks.ts';
import { agentRow } from '../../../helpers/agent-row.ts';
import { DoctorGround, unitReading } from '../../../helpers/doctor-ground.ts';

let ground: DoctorGround;
beforeEach(() => {
  ground = new DoctorGround();
});
afterEach(() => ground[Symbol.dispose]());

const managed = (agent: string, unit = unitReading(`mosaic-agent@${agent}.service`)) =>
  agentRow({ key: `roster:${agent}`, agent, unit });

test('a unit that is enabled and in no roster returns at boot', () => {
  ground.rows = [managed('coder')];
  ground.units(
    unitReading('mosaic-agent@coder.service'),
    unitReading('mosaic-agent@removed.service', { activeState: 'inactive' }),
    unitReading('mosaic-agent@asleep.service', { unitFileState: 'disabled' }),
  );
  expect(rosterAgainstUnits(ground.options())).toMatchObject([
    {
      check: 'returns at boot',
      outcome: 'warning',
      what: 'removed',
      mend: expect.stringMatching(/^systemctl --user disable mosaic-agent@removed.service;/),
    },
  ]);
});

test('one that is not even loaded is found by the link that boot follows', () => {
  const wants = join(ground.home, '.config/systemd/user/default.target.wants');
  mkdirSync(wants, { recursive: true });
  symlinkSync('../mosaic-agent@.service', join(wants, 'mosaic-agent@gone.service'));
  expect(rosterAgainstUnits(ground.options())).toMatchObject([{ check: 'returns at boot', what: 'gone' }]);
});

test('a roster that cannot be read says of no unit that it should not be', () => {
  ground.readings.roster.problem = 'roster.yaml:3:1: no';
  ground.units(unitReading('mosaic-agent@removed.service'));
  expect(rosterAgainstUnits(ground.options())).toEqual([]);
});

test('entries without a unit and sessions without an entry are told', () => {
  ground.rows = [
    agentRow({ agent: 'bare' }),
    managed('coder'),
    agentRow({ key: 'tmux:1', agent: 'notes', managed: false, flags: ['UNMANAGED'] }),
  ];
  expect(rosterAgainstUnits(ground.options())).toMatchObject([
    { check: 'UNMANAGED', outcome: 'ok', what: expect.stringContaining('notes') },
    { check: 'no unit', outcome: 'warning', what: expect.stringMatching(/^bare:/) },
  ]);
});

test('without a user manager nothing is said of units but that', () => {
  ground.readings.systemd.problem = 'no user manager';
  ground.rows = [agentRow({ agent: 'bare' })];
  expect(rosterAgainstUnits(ground.options())).toMatchObject([{ check: 'roster units', outcome: 'unknown' }]);
});

test('each env file that outranks the roster is told with what holds, the socket too', async () => {
  ground.write(
    '.config/mosaic/fleet/roster.yaml',
    'version: 1\ntransport: tmux\nagents:\n  - name: coder\n    runtime: pi\n    socket: s1\n  - name: calm\n    runtime: pi\n',
  );
  ground.rows = [managed('coder'), managed('calm')];
  ground.readings.roster.env = new Map([
    [
      'coder',
      new Map([
        ['MOSAIC_AGENT_RUNTIME', 'codex'],
        ['MOSAIC_TMUX_SOCKET', 's2'],
      ]),
    ],
    ['calm', new Map([['MOSAIC_AGENT_RUNTIME', 'pi']])],
  ]);
  expect(await overrides(ground.options())).toMatchObject([
    {
      check: 'env override',
      outcome: 'warning',
      what: 'coder: socket s2 (roster: s1), runtime codex (roster: pi)',
      why: expect.stringContaining('agents/coder.env'),
    },
  ]);
});
