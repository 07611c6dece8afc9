import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { leftBehind, staleSockets, tmuxServers, unprotected } from '../../../../host-agent/doctor/tmux-checks.ts';
import { agentRow } from '../../../helpers/agent-row.ts';
import { DoctorGround, tmuxServer } from '../../../helpers/doctor-ground.ts';

let ground: DoctorGround;
let socket: string;
beforeEach(() => {
  ground = new DoctorGround();
  socket = join(ground.paths.tmuxTmpdir, `tmux-${ground.uid}`, 'mosaic-factory');
});
afterEach(() => ground[Symbol.dispose]());

const USER = '/user.slice/user-1000.slice';
const SERVICES = `${USER}/user@1000.service/app.slice`;

test.for([
  [`${USER}/session-3.scope`, false, 'in login session-3.scope, which it outlives (KillUserProcesses=no)'],
  [`${USER}/session-3.scope`, true, 'dies with login session-3.scope (KillUserProcesses=yes)'],
  [`${USER}/session-3.scope`, null, 'in login session-3.scope; whether it outlives it cannot be told'],
  [`${SERVICES}/mosaic-tmux-holder.service`, false, 'in mosaic-tmux-holder.service'],
  [`${SERVICES}/gateway.service`, false, 'dies with gateway.service'],
  [`${SERVICES}/mosaic-agent@coder.service`, false, 'dies with mosaic-agent@coder.service'],
] as const)('a server of two agents at %s (kill: %s): %s', ([cgroup, killUserProcesses, words]) => {
  ground.readings.tmux.servers = [tmuxServer(socket, ['coder', 'reviewer'])];
  ground.readings.systemd.killUserProcesses = killUserProcesses;
  ground.cgroups.set(77, cgroup);
  const [finding] = tmuxServers(ground.options());
  expect(finding).toMatchObject({ outcome: 'ok', what: `${socket}: 2 sessions, pid 77, ${words}` });
});

test('a server that only serves the agent of its unit is in its own', () => {
  ground.readings.tmux.servers = [tmuxServer(socket, ['coder'])];
  ground.cgroups.set(77, `${SERVICES}/mosaic-agent@coder.service`);
  expect(tmuxServers(ground.options())[0]?.what).toMatch(/in mosaic-agent@coder.service$/);
});

test('an unprotected server says what helps without ending a session, and what helps for good; nothing is a fix', () => {
  ground.readings.tmux.servers = [tmuxServer(socket, ['coder'])];
  ground.readings.systemd.killUserProcesses = true;
  ground.cgroups.set(77, `${USER}/session-3.scope`);
  const tmux = { ...agentRow().tmux!, socket };
  ground.rows = [agentRow({ agent: 'coder', tmux, flags: ['UNPROTECTED'] })];
  expect(unprotected(ground.options())).toEqual([
    {
      check: 'UNPROTECTED',
      outcome: 'warning',
      what: 'coder',
      why: 'dies with login session-3.scope (KillUserProcesses=yes), and they with it',
      mend: expect.stringMatching(
        /KillExcludeUsers=jarvis .*; for good: fleet apply --migrate, or fleet restart coder$/,
      ),
    },
  ]);
});

test('a left-over viewer of a group is told with its exact id; the session that stays is named', () => {
  ground.readings.tmux.servers = [tmuxServer(socket, ['coder coder', 'coder-watch-4711 coder', 'notes'])];
  expect(leftBehind(ground.options())).toMatchObject([
    {
      check: 'ORPHAN-VIEWER',
      what: 'coder-watch-4711',
      mend: "fleet doctor --fix --end 'mosaic-factory:77:$1'; coder stays",
      fix: { kind: 'end-session', targets: [socket, '77', '$1', 'coder-watch-4711'] },
    },
  ]);
});

test.for([
  ['the last that shows its windows', ['coder-watch-4711 coder'], {}],
  ['of no group', ['coder', 'coder-watch-4711'], {}],
  ['beside other left-over viewers only', ['coder-watch-1 coder', 'coder-watch-2 coder'], {}],
  ['on a socket outside tmux’s own folder', ['coder coder', 'coder-watch-1 coder'], { socket: '/srv/sock' }],
  [
    'on a server that cannot be asked',
    ['coder coder', 'coder-watch-1 coder'],
    { problem: { code: 'timeout', words: 'no' } },
  ],
] as const)('a viewer %s is never ended by a program', ([, sessions, over]) => {
  ground.readings.tmux.servers = [tmuxServer(socket, sessions, over)];
  const found = leftBehind(ground.options());
  expect(found.length).toBeGreaterThan(0);
  for (const finding of found) expect(finding).not.toHaveProperty('fix');
});

test('a viewer whose process lives is no finding', () => {
  ground.readings.tmux.servers = [tmuxServer(socket, ['coder coder', 'coder-watch-4711 coder'])];
  const { processes } = ground.options();
  expect(leftBehind(ground.options({ processes: { ...processes, isAlive: () => true } }))).toEqual([]);
});

test('a socket file on which nobody listens is told, and is no fault', async () => {
  mkdirSync(join(socket, '..'), { recursive: true });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  try {
    expect(staleSockets(ground.options({ listeningSockets: () => [socket] }))).toEqual([]);
    expect(staleSockets(ground.options())).toMatchObject([{ outcome: 'ok', what: expect.stringContaining(socket) }]);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});
