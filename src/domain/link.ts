import type { LinkReason, LinkState } from './host-agent.ts';

/**
 * What a controller knows of the line to one host-agent. Moments are its monotonic clock.
 *
 *   unconfirmed ──heard──▶ connected ──silent / closed──▶ resuming ──▶ lost
 *        └──window over──▶ lost            └──stopped, revoked …──────▶ lost
 *
 * The window of one that was never heard begins with its enrolment, or with the controller's start.
 */
export interface LinkEvidence {
  /** Since when it can be heard at all: its enrolment, or the controller's start. */
  knownSinceMono: number;
  /** An accepted stream is open now. */
  streamOpen: boolean;
  /** Last beat or row; null: never since this controller started. */
  heardAtMono: number | null;
  /** Why the last stream ended, if one has. */
  closedBecause: LinkReason | null;
  closedAtMono: number | null;
  /** Two instances hold this identity and displace each other. */
  duplicate: boolean;
}

export interface LinkThresholds {
  /** No beat for this long on an open stream: silent. */
  silentMs: number;
  /** Not heard for this long: lost. */
  lostMs: number;
  /** After a start or a pause of the controller's own, nobody is called lost for this long. */
  graceMs: number;
  /** While hosts still come back, that lasts until none has for so long: a host-agent waits 5 s at most between two tries. */
  graceQuietMs: number;
  /** And no longer than this, whoever comes. */
  graceMaxMs: number;
}

export const LINK_THRESHOLDS: LinkThresholds = {
  silentMs: 5_000,
  lostMs: 12_000,
  graceMs: 15_000,
  graceQuietMs: 6_000,
  graceMaxMs: 60_000,
};

/** Since when the judge itself may be at fault: its start, or the end of its own suspension. */
export interface JudgeGrace {
  sinceMono: number;
  reason: 'controller_started' | 'controller_paused';
  /** When the newest host spoke that had not since then; null: none has. */
  returnedAtMono: number | null;
}

/** When it is over: whoever has not spoken by then is called lost, and is not waiting at the controller's own door. */
export const graceEndMono = (grace: JudgeGrace, thresholds: LinkThresholds = LINK_THRESHOLDS): number => {
  const { graceMs, graceQuietMs, graceMaxMs } = thresholds;
  const quietAtMono = grace.returnedAtMono === null ? 0 : grace.returnedAtMono + graceQuietMs;
  return Math.min(grace.sinceMono + graceMaxMs, Math.max(grace.sinceMono + graceMs, quietAtMono));
};

/** A host spoke. One that had done so before prolongs nothing, and what is over does not begin again. */
export const graceAfterReturn = (
  grace: JudgeGrace,
  heardBeforeMono: number | null,
  nowMono: number,
  thresholds: LinkThresholds = LINK_THRESHOLDS,
): JudgeGrace =>
  (heardBeforeMono !== null && heardBeforeMono >= grace.sinceMono) || nowMono >= graceEndMono(grace, thresholds)
    ? grace
    : { ...grace, returnedAtMono: nowMono };

/** Ends that say by themselves that nobody is coming back soon. */
const FINAL: ReadonlySet<LinkReason> = new Set([
  'stopped',
  'revoked',
  'certificate_expired',
  'not_yet_valid',
  'version',
]);

/** Pure: the same evidence at the same moment is the same word. */
export const judgeLink = (
  evidence: LinkEvidence,
  grace: JudgeGrace | null,
  nowMono: number,
  thresholds: LinkThresholds = LINK_THRESHOLDS,
): { state: LinkState; reason: LinkReason | null } => {
  const reasonIfAny: LinkReason | null = evidence.duplicate ? 'duplicate_identity' : null;
  const endedBecause = evidence.streamOpen ? null : evidence.closedBecause;
  if (endedBecause !== null && FINAL.has(endedBecause)) return { state: 'lost', reason: endedBecause };

  const inGrace = grace !== null && nowMono < graceEndMono(grace, thresholds);
  const heardSinceGrace = grace !== null && evidence.heardAtMono !== null && evidence.heardAtMono >= grace.sinceMono;
  if (inGrace && !heardSinceGrace) return { state: 'unconfirmed', reason: grace.reason };

  const isNew = evidence.heardAtMono === null && nowMono - evidence.knownSinceMono < thresholds.lostMs;
  if (isNew && endedBecause === null) return { state: 'unconfirmed', reason: 'silent' };

  const sinceHeardMs = evidence.heardAtMono === null ? Number.POSITIVE_INFINITY : nowMono - evidence.heardAtMono;
  if (evidence.streamOpen && sinceHeardMs < thresholds.silentMs) return { state: 'connected', reason: reasonIfAny };

  const reason: LinkReason = reasonIfAny ?? endedBecause ?? 'silent';
  return { state: sinceHeardMs < thresholds.lostMs ? 'resuming' : 'lost', reason };
};

/** A daemon that tells a view says something at least every 2 s; silent for longer than this, it confirms nothing. */
export const FRESH_MS = 6_000;

/**
 * Age up to which a row may be called current. A beat comes every 2 to 2.5 s and is told on twice, by the controller
 * and by the host-agent that is asked, each up to 2 s later; a line that is down is told at once.
 */
const CONFIRMED_MS = 8_500;

export const isCurrent = (state: string, heardAgeMs: number): boolean =>
  state === 'connected' && heardAgeMs <= CONFIRMED_MS;

/** Share of the connected host-agents that must fall silent together before the judge suspects itself. */
export const SUSPECT_SHARE = 0.5;
export const SUSPECT_LEAST = 4;
