import { uptime } from 'node:os';

/** Time is injected, so that liveness is tested by moving a clock. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch; may jump. */
  nowMs(): number;
  /** Monotonic milliseconds from an arbitrary zero; never jumps, stands still during suspension. */
  monotonicMs(): number;
  /** Like monotonicMs, but goes on while the machine is suspended; coarse (10 ms) and slow (microseconds). */
  bootMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  bootMs: () => uptime() * 1_000,
};
