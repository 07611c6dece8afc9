import type { Clock } from '../../src/runtime/clock.ts';

/** A clock that a test moves by hand. */
export class MovedClock implements Clock {
  wallMs: number;
  monoMs = 1_000;
  constructor(wallMs = Date.UTC(2026, 0, 1)) {
    this.wallMs = wallMs;
  }
  nowMs = (): number => this.wallMs;
  monotonicMs = (): number => this.monoMs;
  suspendedMs = 0;
  bootMs = (): number => this.monoMs + this.suspendedMs;
  /** The machine sleeps: its monotonic clock stands still. */
  suspend(ms: number): void {
    this.wallMs += ms;
    this.suspendedMs += ms;
  }
  advance(ms: number): void {
    this.wallMs += ms;
    this.monoMs += ms;
  }
}
