import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { heartbeats } from '../../../../host-agent/doctor/heartbeat-checks.ts';
import { disk, linger, neighbours, ownFolders } from '../../../../host-agent/doctor/machine-checks.ts';
import { versions } from '../../../../host-agent/doctor/version-checks.ts';
import { FLEET_VERSION } from '../../../../src/runtime/version.ts';
import { agentRow } from '../../../helpers/agent-row.ts';
import { DoctorGround } from '../../../helpers/doctor-ground.ts';

let ground: DoctorGround;
beforeEach(() => {
  ground = new DoctorGround();
  const { run, state, config } = ground.paths;
  for (const folder of [run, state, join(state, 'host-agent'), config])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
});
afterEach(() => ground[Symbol.dispose]());

test('our own folders are closed to others, or are to be closed; settings may be read', () => {
  const { run, state, config } = ground.paths;
  chmodSync(config, 0o755);
  expect(ownFolders(ground.options())).toMatchObject({ outcome: 'ok' });
  chmodSync(run, 0o755);
  ground.write('.config/fleet/host-policy.json', '{}', 0o644);
  chmodSync(join(config, 'host-policy.json'), 0o666);
  const targets = [run, join(config, 'host-policy.json')];
  expect(ownFolders(ground.options())).toMatchObject({ outcome: 'failed', fix: { kind: 'close-path', targets } });
  chmodSync(run, 0o700);
  chmodSync(state, 0o750);
  expect(ownFolders(ground.options())).toMatchObject({ what: expect.stringContaining(state) });
});

test('a link in place of the run folder is nothing that chmod mends', () => {
  const { run } = ground.paths;
  symlinkSync(ground.home, `${run}-link`);
  const options = ground.options();
  const config = { ...options.config, paths: { ...options.config.paths, run: `${run}-link` } };
  const found = ownFolders({ ...options, config });
  expect(found).toMatchObject({ outcome: 'failed', mend: 'look who made it' });
  expect(found).not.toHaveProperty('fix');
});

test('linger that is off is to be turned on for this user', () => {
  ground.readings.systemd.linger = false;
  expect(linger(ground.options())).toMatchObject({
    outcome: 'warning',
    fix: { kind: 'enable-linger', targets: ['jarvis'] },
  });
});

test('a disk with room is well', () => {
  expect(disk(ground.options())).toMatchObject({ check: 'disk', what: expect.stringMatching(/MiB free below/) });
});

test('others on this machine are told as the process list shows them, by number, once each', () => {
  const { what } = neighbours(ground.options({ foreignServers: () => [1002, 1001, 1002] }));
  expect(what).toContain('uid 1001, 1002 too');
});

test('an agent that writes its heartbeat elsewhere than it is read is told, with the folder of each', () => {
  const folder = join(ground.paths.mosaicHome, 'fleet/run');
  mkdirSync(folder, { recursive: true });
  ground.rows = [agentRow({ agent: 'coder', tmux: { ...agentRow().tmux!, pid: 42 } })];
  ground.environments.set(42, { MOSAIC_HEARTBEAT_RUN_DIR: '/elsewhere' });
  expect(heartbeats(ground.options())).toMatchObject([
    { check: 'heartbeats', outcome: 'ok' },
    { check: 'heartbeat folder', outcome: 'warning', what: `coder writes to /elsewhere, and is read in ${folder}` },
  ]);
  // Its env file says so too: reader and writer agree.
  ground.readings.roster.env = new Map([['coder', new Map([['MOSAIC_HEARTBEAT_RUN_DIR', '/elsewhere']])]]);
  expect(heartbeats(ground.options()).map(({ check }) => check)).toEqual(['heartbeats']);
});

test('a version that is installed and does not run is told; one of the controller that is another, too', () => {
  mkdirSync(ground.paths.share, { recursive: true });
  symlinkSync('versions/1.0.1-bbb', join(ground.paths.share, 'current'));
  expect(versions(ground.options({ build: '1.0.0-aaa', controllerVersion: () => '9.9.9' }))).toMatchObject([
    { outcome: 'warning', what: '1.0.0-aaa runs, 1.0.1-bbb is installed' },
    { outcome: 'warning', what: `host-agent ${FLEET_VERSION}, controller 9.9.9` },
  ]);
  expect(versions(ground.options({ controllerVersion: () => FLEET_VERSION }))).toMatchObject([{ outcome: 'ok' }]);
});
