/** Of an agent's row: the pane whose screen is read, and the runtime whose rules it is read by. */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import type { PaneRef } from '../terminal/ports.ts';

/** Its own pane; null where it has none, or where it is not known which one. */
export const paneOf = ({ key, tmux }: AgentRow): PaneRef | null =>
  tmux === null || tmux.paneId === null || tmux.pid === null
    ? null
    : { key, socket: tmux.socket, sessionId: tmux.sessionId, paneId: tmux.paneId, panePid: tmux.pid };

/** What is seen to run, or what is declared where that cannot be told. */
export const runtimeOf = ({ runtimeSeen, runtime }: AgentRow): string | null => runtimeSeen ?? runtime;
