import { expect, test } from 'vitest';
import { EndOfScreen } from '../../../../host-agent/terminal/end-of-screen.ts';
import type { AgentRow } from '../../../../src/domain/agent-row.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';

const GRACE_MS = 1_000;
const TMUX = { socket: '/s', session: 'one', sessionId: '$0', paneId: '%0', pid: 7 };
const row = (more: object): AgentRow =>
  ({ key: 'k', agent: 'one', managed: true, tmux: TMUX, unit: null, lastExit: null, ...more }) as unknown as AgentRow;

class Scene {
  row: AgentRow | undefined = row({});
  servers = ['/s'];
  silent = false;
  nowMono = 0;
  readonly end = new EndOfScreen({
    row: () => this.row,
    hasServer: (socket) => this.servers.includes(socket),
    isSilent: () => this.silent,
    clock: { ...systemClock, monotonicMs: () => this.nowMono },
    graceMs: GRACE_MS,
  });

  reason(): string | null {
    return this.end.judge('k')?.reason ?? null;
  }
}

test('a session of nobody’s roster has ended once its row is gone; its server, if that is gone too', () => {
  const scene = new Scene();
  scene.row = row({ managed: false });
  expect(scene.reason()).toBeNull();
  scene.row = undefined;
  expect(scene.reason()).toBe('session_ended');
  scene.servers = [];
  expect(scene.reason()).toBe('server_ended');
});

test('an agent of the roster has time to come back, and more while its unit is at it', () => {
  const scene = new Scene();
  expect(scene.reason()).toBeNull();
  scene.row = row({ tmux: null });
  expect(scene.reason()).toBeNull();
  scene.nowMono = GRACE_MS - 1;
  expect(scene.reason()).toBeNull();
  scene.row = row({ tmux: null, unit: { activeState: 'activating' } });
  scene.nowMono = 10 * GRACE_MS;
  expect(scene.reason()).toBeNull();
  scene.row = row({ tmux: null, lastExit: { status: 3, signal: null, atMs: 1 } });
  scene.nowMono = 11 * GRACE_MS + 1;
  expect(scene.end.judge('k')).toMatchObject({ reason: 'session_ended', lastExit: { status: 3 } });
});

test('an agent that came back in time has not ended', () => {
  const scene = new Scene();
  scene.reason();
  scene.row = row({ tmux: null });
  scene.reason();
  scene.row = row({});
  scene.nowMono = 2 * GRACE_MS;
  expect(scene.reason()).toBeNull();
  scene.row = row({ tmux: null });
  expect(scene.reason()).toBeNull();
});

test('a server that cannot be asked ends nothing', () => {
  const scene = new Scene();
  scene.reason();
  scene.silent = true;
  scene.row = row({ tmux: null });
  scene.reason();
  scene.nowMono = 10 * GRACE_MS;
  expect(scene.reason()).toBeNull();
});

test('an agent that was taken out of the roster was removed', () => {
  const scene = new Scene();
  scene.reason();
  scene.row = undefined;
  expect(scene.reason()).toBe('agent_removed');
});
