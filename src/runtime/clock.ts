/** Time is injected, so that liveness is tested by moving a clock. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch; may jump. */
  nowMs(): number;
  /** Monotonic milliseconds from an arbitrary zero; never jumps, stands still during suspension. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
