import { expect, test } from 'vitest';
import { joinRows } from '../../../../host-agent/inventory/join.ts';
import { AgentMemory } from '../../../../host-agent/inventory/memory.ts';
import type { TmuxPane, TmuxServer, UnitReading } from '../../../../host-agent/inventory/source.ts';
import { context, DEFAULT, declared, FACTORY, NOW, pane, readings, server, tree } from './join-ground.ts';

test('roster entries come first in their order, then every other screen; holders are no rows', () => {
  const servers = [
    server(DEFAULT, [{ name: 'notes' }]),
    server(FACTORY, [{ name: '_holder' }, { name: 'b' }, { name: 'a' }]),
  ];
  const rows = joinRows(readings({ servers, roster: [declared('a'), declared('b')] }), context());
  expect(rows.map(({ agent, managed, order }) => [agent, managed, order])).toEqual([
    ['a', true, 0],
    ['b', true, 1],
    ['notes', false, 2],
  ]);
});

test('a roster entry without session is MISSING, unless its socket cannot be asked', () => {
  const [gone] = joinRows(readings({ servers: [server(FACTORY, [])], roster: [declared('a')] }), context());
  expect([gone?.readiness, gone?.reason, gone?.flags]).toEqual(['dead', 'no session', ['MISSING']]);
  const broken = server(FACTORY, [], { code: 'unsafe_socket', words: 'unsafe socket' });
  const [unasked] = joinRows(readings({ servers: [broken], roster: [declared('a')] }), context());
  expect([unasked?.readiness, unasked?.reason, unasked?.flags]).toEqual(['unknown', 'unsafe socket', []]);
});

test('entries of other hosts are never MISSING here', () => {
  const elsewhere = [declared('x', { host: 'dragon-lin' }), declared('y', { host: 'W-jarvis', user: 'somebody' })];
  expect(joinRows(readings({ roster: elsewhere }), context())).toEqual([]);
});

test('an entry may name this machine as enrolled or as it calls itself', () => {
  const named = [declared('x', { host: 'W-jarvis' }), declared('y', { host: 'box17' })];
  expect(joinRows(readings({ roster: named }), context()).map(({ agent }) => agent)).toEqual(['x', 'y']);
});

test('sessions of one group are one row with its members', () => {
  const shared = [pane('%1')];
  const sessions = [
    { name: 'coder0-0', group: 'coder0', panes: shared, id: '$1' },
    { name: 'coder0-1', group: 'coder0', panes: shared, id: '$2' },
  ];
  const rows = joinRows(readings({ servers: [server(DEFAULT, sessions)] }), context());
  expect(rows.map(({ agent, tmux, runtimeSeen }) => [agent, tmux?.group, tmux?.groupMembers, runtimeSeen])).toEqual([
    ['coder0-0', 'coder0', ['coder0-0', 'coder0-1'], 'node'],
  ]);
});

test('a viewer session whose process is gone is told on the row of its agent', () => {
  const shared = [pane('%1')];
  const sessions = [
    { name: 'coder0-0-watch-999', group: 'coder0-0', panes: shared, id: '$1' },
    { name: 'coder0-0', group: 'coder0-0', panes: shared, id: '$2' },
  ];
  const given = readings({ servers: [server(DEFAULT, sessions)] });
  expect(joinRows(given, context()).map(({ agent, flags }) => [agent, flags])).toEqual([
    ['coder0-0', ['UNMANAGED', 'ORPHAN-VIEWER']],
  ]);
  expect(joinRows(given, context({ isAlive: () => true }))[0]?.flags).toEqual(['UNMANAGED']);
});

test('a name that one user has twice is told apart by its socket', () => {
  const servers = [server(DEFAULT, [{ name: 'a' }, { name: 'x' }]), server(FACTORY, [{ name: 'a' }, { name: 'x' }])];
  const rows = joinRows(readings({ servers, roster: [declared('a')] }), context());
  expect(rows.map(({ agent }) => agent)).toEqual(['a', 'default:a', 'default:x', 'mosaic-factory:x']);
});

test('a session keeps its key when it is renamed, and a new server on the socket is a new agent', () => {
  const key = (name: string, startTicks: number) =>
    joinRows(readings({ servers: [{ ...server(DEFAULT, [{ name }]), startTicks }] }), context())[0]?.key;
  expect(key('before', 5)).toBe(key('after', 5));
  expect(key('before', 6)).not.toBe(key('before', 5));
});

test('two panes without a runtime are several panes; the one with the runtime is the agent, also when it has died', () => {
  const panes = [pane('%1'), pane('%2', { active: false })];
  const given = readings({ servers: [server(FACTORY, [{ name: 'a', panes }])], roster: [declared('a')] });
  expect(joinRows(given, context())[0]).toMatchObject({ readiness: 'unknown', reason: 'several panes' });
  const memory = new AgentMemory();
  const withPi = (pid: number) => (pid === 1_002 ? tree(pid, ['pi']) : tree(pid, ['bash']));
  const look = (servers: TmuxServer[]) =>
    joinRows(readings({ servers, roster: [declared('a')] }), context({ memory, tree: withPi }))[0];
  look(given.tmux.servers);
  expect(look(given.tmux.servers)).toMatchObject({ runtimeSeen: 'pi', tmux: { paneId: '%2' }, flags: [] });
  const died = [panes[0] as TmuxPane, pane('%2', { dead: true, exitStatus: 1 })];
  expect(look([server(FACTORY, [{ name: 'a', panes: died }])])).toMatchObject({
    readiness: 'dead',
    reason: 'exited 1',
    lastExit: { status: 1, signal: null },
    attention: { need: 'failed' },
  });
});

test('a managed agent whose pane holds a bare shell has lost its runtime', () => {
  const given = readings({ servers: [server(FACTORY, [{ name: 'a' }])], roster: [declared('a')] });
  const [row] = joinRows(given, context({ tree: (pid) => tree(pid, ['bash']) }));
  expect(row).toMatchObject({ readiness: 'dead', reason: 'runtime gone: bash in its place', flags: ['DRIFT'] });
});

test('titles reach the row without anything that a terminal would obey', () => {
  const given = readings({
    servers: [server(DEFAULT, [{ name: 'a', panes: [pane('%1', { title: 'x\u001b]0;y\u0007' })] }])],
  });
  expect(joinRows(given, context())[0]?.tmux?.title).not.toMatch(/[\u0000-\u001f]/);
});

test('a unit that systemd restarts again and again within ten minutes is a loop', () => {
  const memory = new AgentMemory();
  const unit = (restarts: number): UnitReading => ({
    name: 'mosaic-agent@a.service',
    activeState: 'activating',
    subState: 'auto-restart',
    unitFileState: 'enabled',
    result: 'exit-code',
    mainPid: null,
    restarts,
    sinceMs: NOW,
    needsReload: false,
    fragmentPath: null,
  });
  const flagsAt = (restarts: number, nowMs: number) =>
    joinRows(
      readings({ servers: [server(FACTORY, [])], roster: [declared('a')], units: [unit(restarts)] }),
      context({ memory, nowMs }),
    )[0]?.flags;
  expect(flagsAt(7, NOW)).toEqual(['MISSING']);
  expect(flagsAt(9, NOW + 1_000)).toEqual(['MISSING']);
  expect(flagsAt(10, NOW + 2_000)).toEqual(['MISSING', 'CRASH-LOOP']);
  expect(flagsAt(10, NOW + 700_000)).toEqual(['MISSING']);
});

test('a restart that is seen twice, by the unit and then by its new pane, is one', () => {
  const memory = new AgentMemory();
  const unit = (restarts: number): UnitReading => ({
    name: 'mosaic-agent@a.service',
    activeState: 'active',
    subState: 'running',
    unitFileState: 'enabled',
    result: 'success',
    mainPid: 77,
    restarts,
    sinceMs: NOW,
    needsReload: false,
    fragmentPath: null,
  });
  const flagsAt = (second: number, restarts: number, pid: number) =>
    joinRows(
      readings({
        servers: [server(FACTORY, [{ name: 'a', panes: [pane('%1', { pid })] }])],
        roster: [declared('a')],
        units: [unit(restarts)],
      }),
      context({ memory, nowMs: NOW + second * 1_000 }),
    )[0]?.flags;
  const looks = [flagsAt(0, 0, 10), flagsAt(1, 1, 10), flagsAt(2, 1, 11), flagsAt(3, 2, 11), flagsAt(4, 2, 12)];
  expect(looks.flat()).not.toContain('CRASH-LOOP');
  expect([flagsAt(5, 3, 12), flagsAt(6, 3, 13)].flat()).toContain('CRASH-LOOP');
});

test('a state is dated from the moment it changed, not from the first look', () => {
  const memory = new AgentMemory();
  const at = (nowMs: number, activityMs: number) =>
    joinRows(
      readings({ servers: [server(DEFAULT, [{ name: 'a', panes: [pane('%1', { activityMs })] }])] }),
      context({ memory, nowMs }),
    )[0];
  expect(at(NOW, NOW)?.stateSinceMs).toBeNull();
  expect(at(NOW + 400_000, NOW)).toMatchObject({ readiness: 'available', stateSinceMs: NOW + 300_000 });
  expect(at(NOW + 500_000, NOW + 500_000)).toMatchObject({ readiness: 'working', stateSinceMs: NOW + 500_000 });
  expect(at(NOW + 510_000, NOW + 505_000)?.stateSinceMs).toBe(NOW + 500_000);
});

test('an agent that began a moment ago has been working since', () => {
  const memory = new AgentMemory();
  const young = (pid: number) => {
    const [process] = tree(pid, ['pi']).processes;
    return { processes: [{ ...process!, startedMs: NOW - 60_000 }] };
  };
  const given = readings({ servers: [server(DEFAULT, [{ name: 'a' }])] });
  const at = (nowMs: number) => joinRows(given, context({ memory, tree: young, nowMs }))[0]?.stateSinceMs;
  expect([at(NOW), at(NOW + 5_000)]).toEqual([NOW - 60_000, NOW - 60_000]);
});
