/**
 * Comes in: what a heartbeat file said, and the host's clock. Goes out: whether it counts as a sign of life.
 * Healthy is an age of at most three intervals; a native beat outranks a sidecar's while fresher than two.
 */
import type { HeartbeatFacts } from './agent-row.ts';

export interface HeartbeatSeen {
  /** Why the file is no heartbeat; the other fields are then null. */
  invalid: string | null;
  tsMs: number | null;
  pid: number | null;
  status: string | null;
  model: string | null;
  source: 'native' | 'sidecar';
  /** The agent's own beat beside its sidecar's. */
  native?: HeartbeatSeen | null;
}

export const HEARTBEAT_INTERVAL_MS = 15_000;

/**
 * A beat ahead of the clock by no more than this is as old as now: writers round up, clocks are slewed. One
 * further ahead would look alive for as long as the clock needs to reach it, so it is invalid until rewritten.
 */
const FUTURE_TOLERANCE_MS = 5_000;

const isUsable = (seen: HeartbeatSeen, nowMs: number): boolean =>
  seen.invalid === null && seen.tsMs !== null && seen.tsMs <= nowMs + FUTURE_TOLERANCE_MS;

/** Of an agent's two writers, the one whose word counts now; its pid, status and model are the agent's. */
export const countingHeartbeat = (
  seen: HeartbeatSeen | null,
  nowMs: number,
  intervalMs = HEARTBEAT_INTERVAL_MS,
): HeartbeatSeen | null => {
  const native = seen?.native ?? null;
  if (seen === null || native === null || !isUsable(native, nowMs)) return seen;
  if (nowMs - native.tsMs! <= 2 * intervalMs) return native;
  return isUsable(seen, nowMs) ? seen : native;
};

/** `seen` null: there is no heartbeat file. `tsMs` of the answer is never later than `nowMs`. */
export const heartbeatFacts = (
  seen: HeartbeatSeen | null,
  nowMs: number,
  intervalMs = HEARTBEAT_INTERVAL_MS,
): HeartbeatFacts => {
  const counting = countingHeartbeat(seen, nowMs, intervalMs);
  if (counting === null) return { state: 'missing', tsMs: null, status: null, pid: null, source: null };
  const { source, status, pid } = counting;
  if (!isUsable(counting, nowMs)) return { state: 'invalid', tsMs: null, status: null, pid: null, source };
  const tsMs = Math.min(counting.tsMs!, nowMs);
  return { state: nowMs - tsMs <= 3 * intervalMs ? 'healthy' : 'stale', tsMs, status, pid, source };
};
