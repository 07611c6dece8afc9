/**
 * What the rooms of the terminal plane need of each other: a pane by its agent's key, its screen, what a runtime's screen
 * says, who looks and who types. Shapes only.
 */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import type { AnswerKeys } from '../../src/domain/prompt-choices.ts';
import type { ScreenPicture } from '../../src/screen/screen-log.ts';
import type { PromptReading } from '../../src/wire/gen/fleet/v1/terminal.ts';

/** An agent's own pane at one moment; another pane pid is another life of it. */
export interface PaneRef {
  key: string;
  /** Path of a listening socket. */
  socket: string;
  sessionId: string;
  paneId: string;
  panePid: number;
}

export interface AgentPanes {
  /** The row with this key as it is now; undefined when there is none. */
  row(key: string): AgentRow | undefined;
  /** Its own pane; undefined where it has none, or where it is not known which one. */
  pane(key: string): PaneRef | undefined;
  /** After each look at the machine. */
  onChange(listener: () => void): Disposable;
}

export interface ScreenReader {
  /**
   * The pane's screen now, read through tmux and harmless to it. Rejects with NOT_FOUND when the pane is gone,
   * UNAVAILABLE when its server cannot be asked, DEADLINE_EXCEEDED.
   */
  read(pane: PaneRef, signal: AbortSignal): Promise<ScreenPicture>;
}

/** What a runtime's rules say of a screen; null where no rules fit the runtime. */
export interface PromptReader {
  read(runtime: string | null, picture: ScreenPicture): PromptReading | null;
  /**
   * The keys that give this answer to what the picture shows. Null where nothing is asked, or the choice is none of those
   * shown, or could be several.
   */
  answer(runtime: string | null, picture: ScreenPicture, choice: string): AnswerKeys | null;
}

/** Who looks and who types, for rows and status lines. */
export interface Company {
  watchers(key: string): readonly string[];
  writer(key: string): string | null;
  onChange(listener: () => void): Disposable;
}

/** A run of an agent that is over, as its flight recorder kept it. */
export interface KeptRun {
  startedMs: number;
  endedMs: number;
  status: number | null;
  signal: string | null;
  cause: string;
  /** Its last lines, oldest first; null: they could not be kept. Hostile. */
  lines(): Promise<string[] | null>;
}

/** Of one agent, newest first. */
export type RunRecords = (agent: string) => Promise<KeptRun[]>;
