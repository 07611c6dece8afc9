/** What a verb has of the run it is part of: its time, and the stages that must be on disk before what they allow. */
import type { Clock } from '../../src/runtime/clock.ts';
import type { ApproachPorts } from './pane-approach.ts';
import type { PaneLocks } from './pane-lock.ts';

export interface VerbPorts extends ApproachPorts {
  locks: Pick<PaneLocks, 'take'>;
  clock: Clock;
  /** Whether the terminal is in line mode; null: cannot be told. */
  isLineMode(tty: string, signal: AbortSignal): Promise<boolean | null>;
}

export interface OrderRun {
  /** Its token for those who wait for its turn: `restart 3f2a by local:jarvis`. */
  readonly owner: string;
  /** Aborts when the order's time is over, the daemon stops, or all who waited have left before the first key. */
  readonly signal: AbortSignal;
  /** By the monotonic clock. */
  readonly deadlineMono: number;
  /** Before the first key, or the first change of a unit; where it rejects, nothing may be done. */
  typing(): Promise<void>;
  /** tmux typed something, or did not say. */
  keyed(): void;
  /** After the key that submits. */
  submitted(): Promise<void>;
}
