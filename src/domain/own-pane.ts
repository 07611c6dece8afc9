/**
 * Which pane of a session is the agent: the recorded one, else the one whose process tree holds a known runtime
 * or the heartbeat's pid, else the only one. Several candidates are unknown, never a guess.
 */
import type { SeenTree } from './process-tree.ts';
import { holdsKnownRuntime } from './runtime-seen.ts';

export interface CandidatePane {
  id: string;
  /** null: the process table holds nothing of it (dead, or gone since). */
  tree: SeenTree | null;
}

export interface OwnPane {
  paneId: string | null;
  /** Why no pane could be named; null when one is. */
  unknownBecause: string | null;
}

const own = (pane: CandidatePane): OwnPane => ({ paneId: pane.id, unknownBecause: null });

/** `recordedPaneId`: what the launch wrote down; it counts only while the session still has that pane. */
export const ownPane = (
  panes: readonly CandidatePane[],
  evidence: { recordedPaneId: string | null; heartbeatPid: number | null },
): OwnPane => {
  const recorded = panes.find(({ id }) => id === evidence.recordedPaneId);
  if (recorded) return own(recorded);
  const speaking = panes.filter(
    ({ tree }) =>
      tree !== null && (holdsKnownRuntime(tree) || tree.processes.some(({ pid }) => pid === evidence.heartbeatPid)),
  );
  const candidates = speaking.length > 0 ? speaking : panes;
  if (candidates.length === 1) return own(candidates[0]!);
  return { paneId: null, unknownBecause: candidates.length === 0 ? 'no pane' : 'several panes' };
};

/** Where no roster says otherwise. */
const HOLDER_SESSION = '_holder';

/** Sessions that only keep a tmux server alive: no rows. `holderSession` is the roster's, null without one. */
export const isHolderSession = (session: string, holderSession: string | null): boolean =>
  session === HOLDER_SESSION || session === holderSession;
