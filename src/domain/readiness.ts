import type { Attention, HeartbeatFacts, Lifecycle, Need, Readiness, ReasonCode, UnitFacts } from './agent-row.ts';
import { BugError } from './errors.ts';

/** An agent without output for this long is available, not stuck. */
export const IDLE_THRESHOLD_MS = 300_000;

/** What the rules of the runtime said of the screen, by the one that fits. */
export interface PromptEvidence {
  state: 'working' | 'available' | 'blocked';
  /** `claude/approval`. */
  rule: string;
  /** In words of the rule, none of the screen. */
  reason: string | null;
  reasonCode: ReasonCode | null;
  need: Need | null;
  /** Names the prompt as it is shown; empty unless blocked. */
  promptId: string;
  /** Text of the screen: live only. */
  summary: string;
  sinceMs: number;
}

/** Everything that readiness is decided from; null where it could not be learnt. */
export interface ReadinessEvidence {
  nowMs: number;
  idleThresholdMs: number;
  managed: boolean;
  lifecycle: Lifecycle | null;
  /** Why tmux could not be asked. */
  cannotAsk: string | null;
  /** The session is there; null when it cannot be told. */
  sessionFound: boolean | null;
  /** Why its own pane is not known: `several panes`. */
  paneUnknown: string | null;
  pane: { dead: boolean; exitStatus: number | null; signal: string | null; diedMs: number | null } | null;
  lastOutputMs: number | null;
  heartbeat: HeartbeatFacts;
  /** The process that beats is there; null: no heartbeat names one. */
  beatingProcessAlive: boolean | null;
  /** Moment at which the present heartbeat became, or becomes, too old. */
  heartbeatStaleAtMs: number | null;
  unit: UnitFacts | null;
  /** A plain shell is all that is left where a runtime was declared. */
  shellInPlace: string | null;
  /** null: the screen was not read, or no rule fits it. */
  prompt: PromptEvidence | null;
  /** null or absent: nothing was recorded. */
  lastRun?: RunEnd | null;
  /** Why its newest start was refused. */
  startRefused?: { words: string; atMs: number } | null;
}

/** How an agent's last run ended, as its launcher recorded it. */
export interface RunEnd {
  endedMs: number;
  status: number | null;
  signal: string | null;
  /** stopped: its unit was; killed: its tmux server was gone before anybody saw its end. */
  cause: 'ended' | 'stopped' | 'killed';
}

export interface ReadinessVerdict {
  readiness: Readiness;
  reason: string | null;
  reasonCode: ReasonCode | null;
  /** When the evidence itself says since when; else null. */
  sinceMs: number | null;
  /** `id` where the need has a name of its own: that of a prompt. */
  need: { id?: string; need: Need; rule: string; summary: string } | null;
}

export type EvidenceSource = 'tmux' | 'pane' | 'process' | 'screen' | 'heartbeat' | 'output';

/** One piece of evidence: what it says in words, and its verdict if it decides. */
interface Step {
  source: EvidenceSource;
  fact(evidence: ReadinessEvidence): string;
  verdict(evidence: ReadinessEvidence): ReadinessVerdict | null;
}

/**
 * MOSAIC.md "Readiness": the first step with a verdict decides. A prompt on the screen of a living pane outranks a stale
 * heartbeat: it is positive evidence that a person can act on, and an agent that waits at a prompt is one whose beats end.
 * What else the screen shows does not: a frozen program shows it for ever. An agent's own word that it is busy outranks
 * an empty composer, and both outrank the guess from the time without output.
 */
const STEPS: readonly Step[] = [
  {
    source: 'tmux',
    fact: ({ cannotAsk, sessionFound }) =>
      cannotAsk ??
      (sessionFound === null ? 'no word from tmux yet' : sessionFound ? 'has a session' : 'has no session'),
    verdict: (evidence) => {
      if (evidence.cannotAsk !== null) return unknown(evidence.cannotAsk);
      if (evidence.sessionFound === false) return withoutSession(evidence);
      return evidence.sessionFound === null ? unknown('no word from tmux yet') : null;
    },
  },
  {
    source: 'pane',
    fact: ({ paneUnknown, pane }) => paneUnknown ?? (pane === null ? 'no pane' : pane.dead ? exitWords(pane) : 'lives'),
    verdict: (evidence) => {
      if (evidence.paneUnknown !== null) return unknown(evidence.paneUnknown);
      if (evidence.pane === null) return unknown('no pane');
      return evidence.pane.dead ? deadPane(evidence, evidence.pane) : null;
    },
  },
  {
    source: 'process',
    fact: ({ shellInPlace }) => (shellInPlace === null ? 'no shell in its place' : `${shellInPlace} in its place`),
    verdict: ({ shellInPlace }) =>
      shellInPlace === null ? null : dead(`runtime gone: ${shellInPlace} in its place`, null, 'dead', 'shell-in-place'),
  },
  {
    source: 'screen',
    fact: ({ prompt }) => (prompt === null ? 'no rule fits' : `${prompt.state} by ${prompt.rule}`),
    verdict: ({ prompt }) => (prompt?.state === 'blocked' ? stuck(prompt) : null),
  },
  {
    source: 'heartbeat',
    fact: ({ heartbeat }) => `${heartbeat.state}${heartbeat.status === null ? '' : `, ${heartbeat.status}`}`,
    verdict: ({ heartbeat, heartbeatStaleAtMs }) => {
      if (heartbeat.state === 'stale') return { ...plain('stale', 'no beat'), sinceMs: heartbeatStaleAtMs };
      return heartbeat.state === 'healthy' && heartbeat.status === 'busy' ? plain('working', null) : null;
    },
  },
  {
    source: 'screen',
    fact: ({ prompt, nowMs, lastOutputMs }) =>
      prompt === null ? 'shows neither work nor a composer' : `${prompt.state}, ${outputWords(nowMs, lastOutputMs)}`,
    verdict: ({ prompt, nowMs, lastOutputMs, idleThresholdMs }) => {
      if (prompt?.state === 'available') return { ...plain('available', null), sinceMs: prompt.sinceMs };
      if (prompt?.state !== 'working') return null;
      const isFrozen = lastOutputMs !== null && nowMs - lastOutputMs >= idleThresholdMs;
      return isFrozen ? unknown('shows work, but nothing moves') : plain('working', null);
    },
  },
  {
    source: 'output',
    fact: ({ nowMs, lastOutputMs }) => outputWords(nowMs, lastOutputMs),
    verdict: ({ nowMs, lastOutputMs, heartbeat, idleThresholdMs }) => {
      if (lastOutputMs === null)
        return heartbeat.state === 'healthy' ? plain('working', null) : unknown('no heartbeat and no output seen');
      return nowMs - lastOutputMs < idleThresholdMs
        ? plain('working', null)
        : { ...plain('available', null), sinceMs: lastOutputMs + idleThresholdMs };
    },
  },
];

/** The first step that has a verdict decides; the last one always has. */
export const judgeReadiness = (evidence: ReadinessEvidence): ReadinessVerdict => {
  for (const step of STEPS) {
    const verdict = step.verdict(evidence);
    if (verdict !== null) return verdict;
  }
  throw new BugError('the last step of readiness has no verdict');
};

/** The evidence in the order in which it is judged, in words; the step that decides is marked. */
export const explainReadiness = (
  evidence: ReadinessEvidence,
): { source: EvidenceSource; fact: string; decisive: boolean }[] => {
  const deciding = STEPS.findIndex((step) => step.verdict(evidence) !== null);
  return STEPS.map((step, index) => ({
    source: step.source,
    fact: step.fact(evidence),
    decisive: index === deciding,
  }));
};

const outputWords = (nowMs: number, lastOutputMs: number | null): string =>
  lastOutputMs === null ? 'no output seen' : `last output ${Math.round((nowMs - lastOutputMs) / 1_000)} s ago`;

const stuck = ({ rule, reason, reasonCode, need, promptId, summary, sinceMs }: PromptEvidence): ReadinessVerdict => ({
  readiness: 'stuck',
  reason: reason ?? 'waits for a person',
  reasonCode: reasonCode ?? 'other',
  sinceMs,
  need: { id: promptId, need: need ?? 'other', rule, summary },
});

const plain = (readiness: Readiness, reason: string | null): ReadinessVerdict => ({
  readiness,
  reason,
  reasonCode: null,
  sinceMs: null,
  need: null,
});

const unknown = (reason: string): ReadinessVerdict => plain('unknown', reason);

const dead = (reason: string, sinceMs: number | null, need: Need | null, rule: string): ReadinessVerdict => ({
  ...plain('dead', reason),
  sinceMs,
  need: need === null ? null : { need, rule, summary: reason },
});

const withoutSession = (evidence: ReadinessEvidence): ReadinessVerdict => {
  const { unit, heartbeat, beatingProcessAlive, startRefused, lastRun } = evidence;
  if (unit?.activeState === 'failed') return failedUnit(evidence, unit);
  if (startRefused)
    return dead(
      `cannot start: ${startRefused.words}`,
      startRefused.atMs,
      isComing(evidence) ? null : 'failed',
      'start-refused',
    );
  // A healthy heartbeat of a process that is gone is only the last one it wrote.
  if (heartbeat.state === 'healthy' && beatingProcessAlive !== false) return unknown('beats, but has no session');
  return lastRun ? endedRun(evidence, lastRun) : dead('no session', null, null, 'no-session');
};

/** systemd says that it gave up; why its starts failed is what somebody has to mend. */
const failedUnit = ({ startRefused, lastRun, lifecycle }: ReadinessEvidence, unit: UnitFacts): ReadinessVerdict => {
  const ended = lastRun && lastRun.cause !== 'stopped' ? endWords(lastRun) : null;
  const words = `unit failed: ${unit.result ?? 'no result'}`;
  if (startRefused) return dead(`${words}: ${startRefused.words}`, unit.sinceMs, 'failed', 'unit-failed');
  // A worker that fails once has not failed to start.
  if (lifecycle === 'ephemeral' && ended !== null) return dead(ended, unit.sinceMs, 'failed', 'unit-failed');
  return dead(ended === null ? words : `${words}: ${ended}`, unit.sinceMs, 'failed', 'unit-failed');
};

/** Without a session, and nothing failed: a worker ran to its end, somebody stopped it, or it is between two runs. */
const endedRun = (evidence: ReadinessEvidence, run: RunEnd): ReadinessVerdict => {
  if (isComing(evidence)) return dead(`${endWords(run)}; it is started again`, run.endedMs, null, 'run-ended');
  if (run.cause === 'stopped') return dead('stopped', run.endedMs, null, 'stopped');
  const wentWell = run.cause === 'ended' && run.status === 0;
  if (evidence.lifecycle === 'ephemeral' && wentWell)
    return dead('ran to its end, exited 0', run.endedMs, null, 'ran-to-its-end');
  return dead(endWords(run), run.endedMs, wentWell ? 'dead' : 'failed', 'run-ended');
};

/** systemd starts it, or waits to start it again: nobody has to do anything yet. */
const isComing = ({ unit }: ReadinessEvidence): boolean => unit?.activeState === 'activating';

const endWords = ({ cause, status, signal }: RunEnd): string =>
  cause === 'killed' ? 'its tmux server was killed' : exitWords({ signal, exitStatus: status });

const exitWords = ({ signal, exitStatus }: { signal: string | null; exitStatus: number | null }): string =>
  signal !== null ? `killed by ${signal}` : exitStatus !== null ? `exited ${exitStatus}` : 'exited, status unknown';

const deadPane = (
  { lifecycle, unit }: ReadinessEvidence,
  pane: { exitStatus: number | null; signal: string | null; diedMs: number | null },
): ReadinessVerdict => {
  const reason = exitWords(pane);
  const failed = pane.signal !== null || (pane.exitStatus ?? 0) !== 0 || unit?.activeState === 'failed';
  const ranToItsEnd = lifecycle === 'ephemeral' && !failed;
  return dead(reason, pane.diedMs, ranToItsEnd ? null : failed ? 'failed' : 'dead', 'pane-dead');
};

/** The same prompt, or the same need since the same moment, has the same id, on whichever run of the host-agent. */
export const attentionOf = (key: string, verdict: ReadinessVerdict, sinceMs: number | null): Attention | null => {
  if (verdict.need === null) return null;
  const { need, rule, summary, id = fingerprint(`${key}\n${rule}\n${sinceMs ?? 0}`) } = verdict.need;
  return { id, need, sinceMs, rule, summary };
};

/** FNV-1a, 32 bit: a name for a moment, not a secret. */
const fingerprint = (text: string): string => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
};
