/**
 * tmux's sessions as screens: sessions of one group show the same windows and are one screen, holders are none.
 * Comes in: a reading of all servers. Goes out: what may be an agent's screen, each once.
 */
import { basename } from 'node:path';
import { isViewerLeftBehind, viewerPid } from '../../src/domain/viewer-session.ts';
import type { TmuxPane, TmuxReading, TmuxServer, TmuxSession } from './source.ts';

export interface Screen {
  server: TmuxServer;
  /** The session that stands for the group. */
  session: TmuxSession;
  /** Names of the other sessions that show the same panes. */
  members: string[];
  panes: TmuxPane[];
  /** Attached clients of the whole group, our own left out. */
  attached: number;
  /** Sessions that a viewer of an older tool left behind: `<agent>-watch-<pid>` whose process is gone. */
  orphanViewer: boolean;
}

export interface ScreenRules {
  isHolder(session: string): boolean;
  /** A roster's session stands for its group. */
  isWanted(socket: string, session: string): boolean;
  isAlive(pid: number): boolean;
}

export const screensOf = (reading: TmuxReading, rules: ScreenRules): Screen[] =>
  reading.servers.flatMap((server) => screensOfServer(server, rules));

const screensOfServer = (server: TmuxServer, rules: ScreenRules): Screen[] => {
  const groups = new Map<string, TmuxSession[]>();
  for (const session of server.sessions) {
    if (rules.isHolder(session.name)) continue;
    const key = session.group === null ? session.id : `group ${session.group}`;
    groups.set(key, [...(groups.get(key) ?? []), session]);
  }
  return [...groups.values()].map((sessions) => screenOf(server, sessions, rules));
};

const screenOf = (server: TmuxServer, sessions: TmuxSession[], rules: ScreenRules): Screen => {
  const rank = (session: TmuxSession): number =>
    rules.isWanted(server.socket, session.name) ? 0 : viewerPid(session.name) === null ? 1 : 2;
  const ordered = [...sessions].sort((a, b) => rank(a) - rank(b) || idNumber(a.id) - idNumber(b.id));
  const session = ordered[0] as TmuxSession;
  return {
    server,
    session,
    members: sessions.length > 1 || session.group !== null ? sessions.map(({ name }) => name).sort() : [],
    panes: session.paneIds.flatMap((id) => server.panes.get(id) ?? []),
    attached: sessions.reduce((sum, { attached }) => sum + attached, 0),
    orphanViewer: sessions.some(({ name }) => isViewerLeftBehind(name, rules.isAlive)),
  };
};

const idNumber = (id: string): number => Number(id.slice(1));

export const socketLabel = (socket: string): string => basename(socket);
