import { expect, test } from 'vitest';
import type { HeartbeatFacts, UnitFacts } from '../../../src/domain/agent-row.ts';
import { cgroupPlace, type FlagEvidence, judgeFlags } from '../../../src/domain/flags.ts';
import { comesUpAtBoot } from '../../../src/domain/roster.ts';

const beat: HeartbeatFacts = { state: 'healthy', tsMs: 0, status: 'ok', pid: 10, source: 'sidecar' };
const unit: UnitFacts = {
  name: 'mosaic-agent@a.service',
  activeState: 'active',
  subState: 'exited',
  unitFileState: 'enabled',
  result: 'success',
  mainPid: null,
  restarts: 0,
  sinceMs: null,
};
const evidence = (over: Partial<FlagEvidence> = {}): FlagEvidence => ({
  managed: true,
  sessionMissing: false,
  runtimeDeclared: 'pi',
  runtimeSeen: 'pi',
  modelDeclared: 'm',
  modelSeen: 'm',
  unit,
  unitNeedsReload: false,
  comesUpAtBoot: true,
  linger: true,
  heartbeat: beat,
  panePids: new Set([9, 10]),
  launcherSeen: null,
  launcherInstalled: '1.0.0',
  serverPlace: { kind: 'own-unit', unit: null },
  killUserProcesses: false,
  orphanViewer: false,
  restartsLately: 0,
  ...over,
});
const login = { kind: 'login', unit: 'session-3.scope' } as const;

test('an agent that is as it should be has no flag', () => {
  expect(judgeFlags(evidence())).toEqual([]);
});

test.each<[string, Partial<FlagEvidence>, string[]]>([
  ['another runtime than the roster says', { runtimeSeen: 'stub' }, ['DRIFT']],
  ['a bare interpreter where a runtime was declared', { runtimeSeen: 'node' }, ['DRIFT']],
  ['what cannot be seen is no drift', { runtimeSeen: null }, []],
  ['active but not enabled', { unit: { ...unit, unitFileState: 'disabled' } }, ['BOOT-ENABLE']],
  [
    'active, and meant to come up at no boot',
    { unit: { ...unit, unitFileState: 'disabled' }, comesUpAtBoot: false },
    [],
  ],
  ['inactive and disabled is a choice', { unit: { ...unit, activeState: 'inactive', unitFileState: 'disabled' } }, []],
  ['linger off', { linger: false }, ['LINGER-OFF']],
  ['linger that cannot be told', { linger: null }, []],
  ['an unmanaged session', { managed: false, unit: null, runtimeDeclared: null }, ['UNMANAGED']],
  ['a roster entry without session', { sessionMissing: true, panePids: null }, ['MISSING']],
  ['a unit file newer than loaded', { unitNeedsReload: true }, ['STALE-UNIT']],
  ['another model than declared', { modelSeen: 'n' }, ['MODEL-DRIFT']],
  ['a heartbeat of a process elsewhere', { panePids: new Set([1]) }, ['FOREIGN-HEARTBEAT']],
  ['a heartbeat while the tree cannot be read', { panePids: null }, []],
  ['an older launcher', { launcherSeen: '0.9.0' }, ['VERSION-SKEW']],
  ['a login scope that logind kills', { serverPlace: login, killUserProcesses: true }, ['UNPROTECTED']],
  ['a login scope that logind spares', { serverPlace: login }, []],
  ['inside another unit', { serverPlace: { kind: 'foreign-unit', unit: 'x.service' } }, ['UNPROTECTED']],
  ['a left-over viewer', { orphanViewer: true }, ['ORPHAN-VIEWER']],
  ['restarted again and again', { restartsLately: 3 }, ['CRASH-LOOP']],
])('%s', (_, over, flags) => {
  expect(judgeFlags(evidence(over))).toEqual(flags);
});

const user = '/user.slice/user-1000.slice';
test.each([
  [`${user}/session-c1.scope`, 'login'],
  [`${user}/user@1000.service/app.slice/mosaic-tmux-holder.service`, 'own-unit'],
  [`${user}/user@1000.service/app.slice/app-mosaic\\x2dagent.slice/mosaic-agent@a.service`, 'own-unit'],
  [`${user}/user@1000.service/app.slice/mosaic-agent@b.service`, 'foreign-unit'],
  [`${user}/user@1000.service/app.slice/fleet-host-agent.service`, 'foreign-unit'],
  [`${user}/user@1000.service/tmux-spawn-12.scope`, 'own-unit'],
  [`${user}/user@1000.service/init.scope`, 'other'],
  ['/', 'other'],
])('a server in %s lives in a place of kind %s', (path, kind) => {
  expect(cgroupPlace(path, 'a').kind).toBe(kind);
});

test.each([
  ['core', 'isolated', true],
  [null, 'isolated', true],
  ['ephemeral', 'isolated', false],
  ['ephemeral', 'shared', true],
] as const)('%s in layout %s: comes up at boot is %s', (lifecycle, layout, comesUp) => {
  expect(comesUpAtBoot({ lifecycle, layout })).toBe(comesUp);
});
