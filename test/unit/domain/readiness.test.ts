import { expect, test } from 'vitest';
import { attentionOf, judgeReadiness, type ReadinessEvidence } from '../../../src/domain/readiness.ts';

const now = 1_000_000;
const evidence = (over: Partial<ReadinessEvidence> = {}): ReadinessEvidence => ({
  nowMs: now,
  idleThresholdMs: 300_000,
  managed: true,
  lifecycle: 'core',
  cannotAsk: null,
  sessionFound: true,
  paneUnknown: null,
  pane: { dead: false, exitStatus: null, signal: null, diedMs: null },
  lastOutputMs: now - 1_000,
  heartbeat: { state: 'healthy', tsMs: now, status: 'ok', pid: 1, source: 'native' },
  beatingProcessAlive: true,
  heartbeatStaleAtMs: now + 45_000,
  unit: null,
  shellInPlace: null,
  prompt: null,
  ...over,
});
const beat = (state: string, status: string | null = 'ok') => ({ state, tsMs: 1, status, pid: 1, source: null });
const died = (exitStatus: number | null, signal: string | null = null) => ({
  dead: true,
  exitStatus,
  signal,
  diedMs: 7,
});
const failedUnit = {
  name: 'u',
  activeState: 'failed',
  subState: 'failed',
  unitFileState: null,
  result: 'exit-code',
  mainPid: null,
  restarts: 4,
  sinceMs: 5,
};

test.each<[string, Partial<ReadinessEvidence>, string, string | null, string | null]>([
  ['output a moment ago', {}, 'working', null, null],
  ['idle for the threshold', { lastOutputMs: now - 300_000 }, 'available', null, null],
  ['idle just below the threshold', { lastOutputMs: now - 299_999 }, 'working', null, null],
  ['idle, but busy by its own word', { lastOutputMs: 0, heartbeat: beat('healthy', 'busy') }, 'working', null, null],
  ['a heartbeat too old', { heartbeat: beat('stale') }, 'stale', 'no beat', null],
  ['no heartbeat, but output', { heartbeat: beat('missing', null) }, 'working', null, null],
  ['idle unknown, heartbeat healthy', { lastOutputMs: null }, 'working', null, null],
  [
    'no heartbeat and no output',
    { heartbeat: beat('missing', null), lastOutputMs: null },
    'unknown',
    'no heartbeat and no output seen',
    null,
  ],
  ['a dead pane outranks a stale heartbeat', { pane: died(1), heartbeat: beat('stale') }, 'dead', 'exited 1', 'failed'],
  ['a killed pane', { pane: died(null, 'SIGKILL') }, 'dead', 'killed by SIGKILL', 'failed'],
  ['a core agent that ended well still needs somebody', { pane: died(0) }, 'dead', 'exited 0', 'dead'],
  [
    'an ephemeral worker that ended well needs nobody',
    { pane: died(0), lifecycle: 'ephemeral' },
    'dead',
    'exited 0',
    null,
  ],
  ['a status that tmux does not know yet', { pane: died(null) }, 'dead', 'exited, status unknown', 'dead'],
  ['a socket that cannot be asked', { cannotAsk: 'unsafe socket' }, 'unknown', 'unsafe socket', null],
  ['several panes', { paneUnknown: 'several panes' }, 'unknown', 'several panes', null],
  ['no session', { sessionFound: false, heartbeat: beat('stale') }, 'dead', 'no session', null],
  ['no session, unit failed', { sessionFound: false, unit: failedUnit }, 'dead', 'unit failed: exit-code', 'failed'],
  [
    'no session, and what beat is gone',
    { sessionFound: false, beatingProcessAlive: false },
    'dead',
    'no session',
    null,
  ],
  ['no session, but it beats', { sessionFound: false }, 'unknown', 'beats, but has no session', null],
  ['a shell where the runtime was', { shellInPlace: 'bash' }, 'dead', 'runtime gone: bash in its place', 'dead'],
])('%s', (_, over, readiness, reason, need) => {
  const verdict = judgeReadiness(evidence(over));
  expect([verdict.readiness, verdict.reason, verdict.need?.need ?? null]).toEqual([readiness, reason, need]);
});

test('the state says since when where the evidence knows it', () => {
  expect(judgeReadiness(evidence({ lastOutputMs: 100 })).sinceMs).toBe(300_100);
  expect(judgeReadiness(evidence({ heartbeat: beat('stale'), heartbeatStaleAtMs: 42 })).sinceMs).toBe(42);
  expect(judgeReadiness(evidence({ pane: died(1) })).sinceMs).toBe(7);
});

test('the same need since the same moment keeps its id, a new one gets another', () => {
  const verdict = judgeReadiness(evidence({ pane: died(1) }));
  expect(attentionOf('k', verdict, 7)?.id).toBe(attentionOf('k', verdict, 7)?.id);
  expect(attentionOf('k', verdict, 8)?.id).not.toBe(attentionOf('k', verdict, 7)?.id);
  expect(attentionOf('k', judgeReadiness(evidence()), 7)).toBeNull();
});
