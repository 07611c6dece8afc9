import { expect, test } from 'vitest';
import {
  attentionOf,
  explainReadiness,
  judgeReadiness,
  type PromptEvidence,
  type ReadinessEvidence,
  type RunEnd,
} from '../../../src/domain/readiness.ts';

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
const prompt = (state: PromptEvidence['state']): PromptEvidence => ({
  state,
  rule: `claude/${state}`,
  reason: state === 'blocked' ? 'asks for approval' : null,
  reasonCode: state === 'blocked' ? 'approval' : null,
  need: state === 'blocked' ? 'approval' : null,
  promptId: state === 'blocked' ? 'ab12' : '',
  summary: state === 'blocked' ? 'rm -rf build, proceed?' : '',
  sinceMs: 77,
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

const ran = (status: number | null, over: Partial<RunEnd> = {}): RunEnd => ({
  endedMs: 9,
  status,
  signal: null,
  cause: 'ended',
  ...over,
});
const refused = { words: 'pi is not found', atMs: 8 };
const starting = { ...failedUnit, activeState: 'activating', result: 'success' };

test.each<[string, Partial<ReadinessEvidence>, string, string | null]>([
  ['a worker that ran to its end', { lastRun: ran(0), lifecycle: 'ephemeral' }, 'ran to its end, exited 0', null],
  ['a worker that failed', { lastRun: ran(3), lifecycle: 'ephemeral', unit: failedUnit }, 'exited 3', 'failed'],
  [
    'a worker that was killed',
    { lastRun: ran(null, { signal: 'SIGKILL' }), lifecycle: 'ephemeral' },
    'killed by SIGKILL',
    'failed',
  ],
  ['a core agent that ended well all the same', { lastRun: ran(0) }, 'exited 0', 'dead'],
  ['an agent that was stopped', { lastRun: ran(null, { cause: 'stopped' }) }, 'stopped', null],
  ['a server that was killed', { lastRun: ran(null, { cause: 'killed' }) }, 'its tmux server was killed', 'failed'],
  ['one that is started again', { lastRun: ran(1), unit: starting }, 'exited 1; it is started again', null],
  ['a start that was refused', { startRefused: refused, lastRun: ran(0) }, 'cannot start: pi is not found', 'failed'],
  ['one that is tried again', { startRefused: refused, unit: starting }, 'cannot start: pi is not found', null],
  [
    'a unit that gave up after refusals',
    { startRefused: refused, unit: failedUnit },
    'unit failed: exit-code: pi is not found',
    'failed',
  ],
  [
    'a unit that gave up after crashes',
    { lastRun: ran(127), unit: failedUnit },
    'unit failed: exit-code: exited 127',
    'failed',
  ],
])('without a session, the launcher’s records say why: %s', (_, over, reason, need) => {
  const verdict = judgeReadiness(evidence({ sessionFound: false, heartbeat: beat('missing', null), ...over }));
  expect([verdict.readiness, verdict.reason, verdict.need?.need ?? null]).toEqual(['dead', reason, need]);
});

test('what was recorded of earlier runs says nothing about one that has a session', () => {
  expect(judgeReadiness(evidence({ lastRun: ran(3), startRefused: refused })).readiness).toBe('working');
});

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
  ['a prompt on the screen', { prompt: prompt('blocked') }, 'stuck', 'asks for approval', 'approval'],
  [
    'a prompt without any heartbeat',
    { prompt: prompt('blocked'), heartbeat: beat('missing', null) },
    'stuck',
    'asks for approval',
    'approval',
  ],
  [
    'a prompt outranks a stale heartbeat and a busy one',
    { prompt: prompt('blocked'), heartbeat: beat('stale', 'busy') },
    'stuck',
    'asks for approval',
    'approval',
  ],
  [
    'a dead pane outranks the prompt it shows',
    { prompt: prompt('blocked'), pane: died(1) },
    'dead',
    'exited 1',
    'failed',
  ],
  [
    'a stale heartbeat outranks a spinner',
    { prompt: prompt('working'), heartbeat: beat('stale') },
    'stale',
    'no beat',
    null,
  ],
  [
    'a stale heartbeat outranks a composer',
    { prompt: prompt('available'), heartbeat: beat('stale') },
    'stale',
    'no beat',
    null,
  ],
  ['a spinner', { prompt: prompt('working') }, 'working', null, null],
  [
    'a spinner that stands still for the threshold',
    { prompt: prompt('working'), lastOutputMs: now - 300_000 },
    'unknown',
    'shows work, but nothing moves',
    null,
  ],
  ['a composer, with output a moment ago', { prompt: prompt('available') }, 'available', null, null],
  [
    'a composer, but busy by its own word',
    { prompt: prompt('available'), heartbeat: beat('healthy', 'busy') },
    'working',
    null,
    null,
  ],
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

test('a prompt has its own name and its own moment, and its words are no reason', () => {
  const verdict = judgeReadiness(evidence({ prompt: prompt('blocked') }));
  expect(attentionOf('k', verdict, verdict.sinceMs)).toEqual({
    id: 'ab12',
    need: 'approval',
    sinceMs: 77,
    rule: 'claude/blocked',
    summary: 'rm -rf build, proceed?',
  });
  expect([verdict.reason, verdict.reasonCode]).toEqual(['asks for approval', 'approval']);
});

test.each<[string, Partial<ReadinessEvidence>, string]>([
  ['a prompt', { prompt: prompt('blocked'), heartbeat: beat('stale') }, 'screen: blocked by claude/blocked'],
  ['a stale heartbeat', { heartbeat: beat('stale') }, 'heartbeat: stale, ok'],
  ['silence', { lastOutputMs: now - 400_000 }, 'output: last output 400 s ago'],
  ['a dead pane', { pane: died(2) }, 'pane: exited 2'],
])('of all evidence exactly one decides: %s', (_, over, decisive) => {
  const told = explainReadiness(evidence(over));
  expect(told.map(({ source }) => source)).toEqual([
    'tmux',
    'pane',
    'process',
    'screen',
    'heartbeat',
    'screen',
    'output',
  ]);
  expect(told.filter((each) => each.decisive).map(({ source, fact }) => `${source}: ${fact}`)).toEqual([decisive]);
});
