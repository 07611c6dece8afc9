/** What a row tells of its unit, its pane and its last end, from what the sources read. Pure. */
import type { LastExit, TmuxFacts, UnitFacts } from '../../src/domain/agent-row.ts';
import { cleanText } from '../../src/domain/clean-text.ts';
import type { RunEnd } from '../../src/domain/readiness.ts';
import type { Screen } from './screens.ts';
import type { TmuxPane, UnitReading } from './source.ts';

/** A server that was killed is missed this long before its run is recorded, or after. */
const RECORDED_WITHIN_MS = 30_000;

export const lastExit = (pane: TmuxPane | null, diedMs: number | null): LastExit | null =>
  pane?.dead ? { status: pane.exitStatus, signal: pane.signal, atMs: diedMs } : null;

/** The flight recorder saw how it ended; what we saw ourselves is that it is gone, a moment later. */
export const laterExit = (run: RunEnd | null, seen: LastExit | null): LastExit | null => {
  if (run === null || (seen?.atMs ?? 0) > run.endedMs + RECORDED_WITHIN_MS) return seen;
  return { status: run.status, signal: run.signal, atMs: run.endedMs };
};

export const unitFacts = ({ needsReload: _, fragmentPath: __, ...facts }: UnitReading): UnitFacts => facts;

export const tmuxFacts = (screen: Screen, pane: TmuxPane | null): TmuxFacts => ({
  socket: screen.server.socket,
  session: screen.session.name,
  sessionId: screen.session.id,
  group: screen.session.group,
  groupMembers: screen.members,
  paneId: pane?.id ?? null,
  pid: pane?.pid ?? null,
  command: pane?.command ?? null,
  title: pane ? cleanText(pane.title) : null,
  cwd: pane?.cwd ?? null,
  dead: pane?.dead ?? null,
  exitStatus: pane?.exitStatus ?? null,
  signal: pane?.signal ?? null,
  width: pane?.width ?? null,
  height: pane?.height ?? null,
  alternateScreen: pane?.alternateScreen ?? null,
  attached: screen.attached,
});
