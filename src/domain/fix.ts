/** Mends that `fleet doctor --fix` makes by itself, on the host where the finding was made. None of them ends or starts an agent. */
import type { Open } from './agent-row.ts';

const FIX_KINDS = ['enable-unit', 'enable-linger', 'reload-units', 'close-path', 'end-session'] as const;
export type FixKind = (typeof FIX_KINDS)[number];

/** `targets`: units, the user, nothing, paths; of a session: its socket, its server's pid, its id, its name. */
export interface Fix {
  kind: Open<FixKind>;
  targets: readonly string[];
}

/** A left-over session of one life of a tmux server. */
export interface SessionTarget {
  socket: string;
  serverPid: number;
  /** `$3`. */
  sessionId: string;
  name: string;
}

export const sessionTargets = ({ socket, serverPid, sessionId, name }: SessionTarget): string[] => [
  socket,
  String(serverPid),
  sessionId,
  name,
];

/** null where these are the targets of no session. */
export const sessionTarget = (targets: readonly string[]): SessionTarget | null => {
  const [socket = '', serverPid = '', sessionId = '', name = ''] = targets;
  const isWhole = socket.startsWith('/') && /^[1-9]\d*$/.test(serverPid) && /^\$\d+$/.test(sessionId) && name !== '';
  return isWhole ? { socket, serverPid: Number(serverPid), sessionId, name } : null;
};

/** What a person types to mean exactly this session and no later one: `mosaic-fleet:4711:$3`. */
export const sessionTargetId = ({ socket, serverPid, sessionId }: SessionTarget): string =>
  `${socket.slice(socket.lastIndexOf('/') + 1)}:${serverPid}:${sessionId}`;
