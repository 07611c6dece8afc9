/** What is kept for a host that is away: how it stands, as a closed set. */
import type { Open } from './agent-row.ts';

/** waiting ⇄ running ─▶ done | stopped | expired; withdrawn from any but done. */
const INTENT_STATES = ['waiting', 'running', 'done', 'stopped', 'expired', 'withdrawn'] as const;
export type IntentStateName = (typeof INTENT_STATES)[number];

/** An intent that a host-agent has not carried out, by the clock of whoever says it. */
export interface Behind {
  state: Open<'waiting' | 'running' | 'stopped' | 'expired'>;
  reason: string;
  /** Since it was given. */
  ageMs: number;
  /** null when it is over. */
  expiresInMs: number | null;
}
