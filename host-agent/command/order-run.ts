/**
 * What a verb is given: the panes of agents with all that is asked about them, and what it has of the run it is part of: its
 * time, and the stages that must be on disk before what they allow.
 */
import type { Clock } from '../../src/runtime/clock.ts';
import type { ProcessTable } from '../inventory/source.ts';
import type { AgentPanes, Company, PromptReader, ScreenReader } from '../terminal/ports.ts';
import type { PaneTyping } from '../tmux/typing.ts';
import type { PaneLocks } from './pane-lock.ts';

export interface ApproachPorts {
  panes: Pick<AgentPanes, 'row' | 'pane'>;
  screens: ScreenReader;
  prompts: PromptReader;
  typing: Pick<PaneTyping, 'look' | 'paste' | 'press'>;
  processes: Pick<ProcessTable, 'trees'>;
  company: Pick<Company, 'writer'>;
}

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
