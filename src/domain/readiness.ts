import type { Attention, HeartbeatFacts, Lifecycle, Need, Readiness, ReasonCode, UnitFacts } from './agent-row.ts';

/** An agent without output for this long is available, not stuck. */
export const IDLE_THRESHOLD_MS = 300_000;

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
}

export interface ReadinessVerdict {
  readiness: Readiness;
  reason: string | null;
  reasonCode: ReasonCode | null;
  /** When the evidence itself says since when; else null. */
  sinceMs: number | null;
  need: { need: Need; rule: string; summary: string } | null;
}

/** MOSAIC.md "Readiness": the first rule with evidence decides. */
export const judgeReadiness = (evidence: ReadinessEvidence): ReadinessVerdict => {
  if (evidence.cannotAsk !== null) return unknown(evidence.cannotAsk);
  if (evidence.sessionFound === false) return withoutSession(evidence);
  if (evidence.sessionFound === null) return unknown('no word from tmux yet');
  if (evidence.paneUnknown !== null) return unknown(evidence.paneUnknown);
  if (evidence.pane === null) return unknown('no pane');
  if (evidence.pane.dead) return deadPane(evidence, evidence.pane);
  if (evidence.shellInPlace !== null) {
    return dead(`runtime gone: ${evidence.shellInPlace} in its place`, null, 'dead', 'shell-in-place');
  }
  if (evidence.heartbeat.state === 'stale') {
    return { ...plain('stale', 'no beat'), sinceMs: evidence.heartbeatStaleAtMs };
  }
  const busy = evidence.heartbeat.state === 'healthy' && evidence.heartbeat.status === 'busy';
  const heartbeatKnown = evidence.heartbeat.state === 'healthy';
  if (evidence.lastOutputMs === null && !heartbeatKnown) return unknown('no heartbeat and no output seen');
  const idleMs = evidence.lastOutputMs === null ? null : evidence.nowMs - evidence.lastOutputMs;
  if (busy || idleMs === null || idleMs < evidence.idleThresholdMs) return plain('working', null);
  return { ...plain('available', null), sinceMs: (evidence.lastOutputMs as number) + evidence.idleThresholdMs };
};

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

const withoutSession = ({ unit, heartbeat, beatingProcessAlive }: ReadinessEvidence): ReadinessVerdict => {
  if (unit?.activeState === 'failed') {
    return dead(`unit failed: ${unit.result ?? 'no result'}`, unit.sinceMs, 'failed', 'unit-failed');
  }
  // A healthy heartbeat of a process that is gone is only the last one it wrote.
  if (heartbeat.state === 'healthy' && beatingProcessAlive !== false) return unknown('beats, but has no session');
  return dead('no session', null, null, 'no-session');
};

const deadPane = (
  { lifecycle, unit }: ReadinessEvidence,
  pane: { exitStatus: number | null; signal: string | null; diedMs: number | null },
): ReadinessVerdict => {
  const reason =
    pane.signal !== null
      ? `killed by ${pane.signal}`
      : pane.exitStatus !== null
        ? `exited ${pane.exitStatus}`
        : 'exited, status unknown';
  const failed = pane.signal !== null || (pane.exitStatus ?? 0) !== 0 || unit?.activeState === 'failed';
  const ranToItsEnd = lifecycle === 'ephemeral' && !failed;
  return dead(reason, pane.diedMs, ranToItsEnd ? null : failed ? 'failed' : 'dead', 'pane-dead');
};

/** The same need since the same moment has the same id, on whichever run of the host-agent. */
export const attentionOf = (key: string, verdict: ReadinessVerdict, sinceMs: number | null): Attention | null =>
  verdict.need === null
    ? null
    : { id: fingerprint(`${key}\n${verdict.need.rule}\n${sinceMs ?? 0}`), sinceMs, ...verdict.need };

/** FNV-1a, 32 bit: a name for a moment, not a secret. */
const fingerprint = (text: string): string => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
};
