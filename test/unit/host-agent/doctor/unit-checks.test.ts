import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { units } from '../../../../host-agent/doctor/unit-checks.ts';
import { agentRow } from '../../../helpers/agent-row.ts';
import { DoctorGround, unitReading } from '../../../helpers/doctor-ground.ts';

let ground: DoctorGround;
beforeEach(() => {
  ground = new DoctorGround();
});
afterEach(() => ground[Symbol.dispose]());

const onlyNow = { activeState: 'active', unitFileState: 'disabled' };

test('what runs and is disabled is to be enabled: agents, the holder that they lean on, our own daemons', async () => {
  const unit = unitReading('mosaic-agent@coder.service', onlyNow);
  ground.units(unit, unitReading('mosaic-tmux-holder.service', onlyNow));
  ground.rows = [agentRow({ agent: 'coder', unit, flags: ['BOOT-ENABLE'] }), agentRow({ agent: 'other', key: 'o' })];
  ground.manager!.daemons = [unitReading('fleet-host-agent.service', onlyNow)];
  const targets = ['mosaic-tmux-holder.service', 'fleet-host-agent.service', 'mosaic-agent@coder.service'];
  expect(await units(ground.options())).toEqual([
    {
      check: 'BOOT-ENABLE',
      outcome: 'warning',
      what: 'mosaic-tmux-holder.service, fleet-host-agent.service, coder',
      why: 'after a reboot they will not come back',
      mend: `systemctl --user enable ${targets.join(' ')}`,
      fix: { kind: 'enable-unit', targets },
    },
  ]);
});

test('a holder that does not run needs no enabling', async () => {
  ground.units(unitReading('mosaic-tmux-holder.service', { activeState: 'inactive', unitFileState: 'disabled' }));
  expect(await units(ground.options())).toMatchObject([{ check: 'units', outcome: 'ok' }]);
});

test('a unit that is older in systemd than on disk wants a reload, whoever’s it is', async () => {
  ground.units(unitReading('mosaic-agent@coder.service', { needsReload: true }));
  ground.manager!.daemons = [unitReading('fleet-controller.service', { needsReload: true })];
  expect(await units(ground.options())).toMatchObject([
    {
      check: 'STALE-UNIT',
      what: 'mosaic-agent@coder.service, fleet-controller.service',
      fix: { kind: 'reload-units', targets: [] },
    },
  ]);
});

test('a drop-in that also reaches a unit which fleet wrote is named; what its operator’s own unit is made of is not', async () => {
  const conf = ground.write('.config/systemd/user/mosaic-agent@.service.d/memory.conf', '[Service]\nMemoryMax=1G\n');
  ground.rows = ['coder', 'other'].map((agent) =>
    agentRow({ agent, key: agent, managed: true, unit: unitReading(`mosaic-agent@${agent}.service`) }),
  );
  expect(await units(ground.options())).toMatchObject([{ check: 'units', outcome: 'ok' }]);
  ground.write('.config/systemd/user/mosaic-agent@coder.service', '[Unit]\nX-Fleet-Agent=coder\n');
  expect(await units(ground.options())).toMatchObject([
    { check: 'drop-in', outcome: 'warning', what: `${conf}: for coder` },
  ]);
});

test('a fixed unit that was copied where systemd does not read is told with the one that runs', async () => {
  const read = ground.write('.config/systemd/user/mosaic-agent@.service', 'old');
  const lost = ground.write('.config/mosaic/systemd/user/mosaic-agent@.service', 'fixed');
  ground.write('.config/mosaic/systemd/user/other.service', 'not of the fleet');
  expect(await units(ground.options())).toMatchObject([
    { check: 'unread unit', outcome: 'warning', what: `${lost} says other things than ${read}` },
  ]);
});

test('a copy that says the same, and links that enable made, are no finding', async () => {
  const read = ground.write('.config/systemd/user/mosaic-agent@.service', 'text');
  ground.write('.config/mosaic/systemd/user/mosaic-agent@.service', 'text');
  ground.write('.config/systemd/elsewhere/x', '');
  symlinkSync(read, join(ground.home, '.config/systemd/elsewhere/mosaic-agent@coder.service'));
  expect(await units(ground.options())).toMatchObject([{ check: 'units', outcome: 'ok' }]);
});

test('a unit file that nothing reads at all is told, too', async () => {
  const lost = ground.write('.config/systemd/fleet-host-agent.service', 'text');
  expect(await units(ground.options())).toMatchObject([
    { check: 'unread unit', what: `${lost}: systemd reads no unit of that name` },
  ]);
});

test('where no manager answers nothing is judged', async () => {
  ground.readings.systemd.problem = 'no user manager';
  ground.units(unitReading('mosaic-agent@coder.service', { needsReload: true }));
  expect(await units(ground.options())).toEqual([]);
});
