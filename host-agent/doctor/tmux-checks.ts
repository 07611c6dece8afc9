/** tmux servers: whether they can be asked, with what they would die, and what was left behind in them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { counted } from '../../src/domain/counted.ts';
import { type SessionTarget, sessionTargetId, sessionTargets } from '../../src/domain/fix.ts';
import { type CgroupPlace, cgroupPlace } from '../../src/domain/flags.ts';
import { sessionNameOf } from '../../src/domain/roster.ts';
import { agentOfUnit } from '../../src/domain/unit-name.ts';
import { isViewerLeftBehind } from '../../src/domain/viewer-session.ts';
import type { Finding } from '../../src/wire/gen/fleet/v1/view.ts';
import type { TmuxServer, TmuxSession } from '../inventory/source.ts';
import type { DiagnoseOptions } from './diagnose-options.ts';
import { failed, few, ok, warning } from './finding.ts';

export const tmuxServers = (options: DiagnoseOptions): Finding[] => {
  const { servers } = options.inventory.readings().tmux;
  if (servers.length === 0) return [ok('tmux servers', 'no tmux server of this user runs')];
  return servers.map((server) => {
    const { socket, problem, polled, sessions, pid } = server;
    if (problem) {
      return failed(
        'tmux server',
        `${socket}: ${problem.words}`,
        'its sessions are shown as unknown',
        problem.code === 'unsafe_socket'
          ? `chmod 700 the folder of ${socket}, and make sure that it is yours`
          : 'look at that tmux server by hand',
      );
    }
    const what = `${socket}: ${counted(sessions.length, 'session')}, pid ${pid ?? '?'}, ${placeWords(options, server)}`;
    return ok('tmux server', polled ? `${what}; polled, because ${polled}` : what);
  });
};

const placeOf = ({ processes }: DiagnoseOptions, { pid, sessions }: TmuxServer): CgroupPlace | null => {
  const path = pid === null ? null : processes.cgroup(pid);
  if (path === null) return null;
  const place = cgroupPlace(path, null);
  const agent = agentOfUnit(place.unit ?? '');
  const isAlone = agent !== null && sessions.every(({ name }) => name === sessionNameOf(agent));
  return isAlone ? { ...place, kind: 'own-unit' } : place;
};

const placeWords = (options: DiagnoseOptions, server: TmuxServer): string => {
  const place = placeOf(options, server);
  const unit = place?.unit ?? 'a unit';
  switch (place?.kind) {
    case 'login':
      return loginWords(unit, options.inventory.readings().systemd.killUserProcesses);
    case 'foreign-unit':
      return `dies with ${unit}`;
    case 'own-unit':
      return `in ${unit}`;
    case 'other':
      return `in ${place.unit ?? 'no unit'}`;
    default:
      return 'in which unit cannot be told';
  }
};

const loginWords = (unit: string, killUserProcesses: boolean | null): string => {
  if (killUserProcesses === null) return `in login ${unit}; whether it outlives it cannot be told`;
  return killUserProcesses
    ? `dies with login ${unit} (KillUserProcesses=yes)`
    : `in login ${unit}, which it outlives (KillUserProcesses=no)`;
};

/** Nothing moves a running server to another unit: what helps without ending its sessions is said. */
export const unprotected = (options: DiagnoseOptions): Finding[] => {
  const { rows } = options.inventory;
  return options.inventory.readings().tmux.servers.flatMap((server) => {
    const held = rows.filter(({ flags, tmux }) => flags.includes('UNPROTECTED') && tmux?.socket === server.socket);
    const [first] = held;
    if (!first) return [];
    const place = placeOf(options, server);
    const spare =
      place?.kind === 'login'
        ? `without touching a session: KillExcludeUsers=${options.config.user} in /etc/systemd/logind.conf and systemctl restart systemd-logind, by an administrator`
        : `without touching a session: leave ${place?.unit ?? 'that unit'} running`;
    const forGood = held.some(({ managed }) => managed)
      ? `fleet apply --migrate, or fleet restart ${first.agent}`
      : 'start it in a unit of its own';
    const names = few(held.map(({ agent }) => agent));
    const why = `${placeWords(options, server)}, and they with it`;
    return [warning('UNPROTECTED', names, why, `${spare}; for good: ${forGood}`)];
  });
};

/** Sessions of viewers that are gone. One that is the last to show its windows is none to be ended: they end with it. */
export const leftBehind = ({ inventory, processes, config }: DiagnoseOptions): Finding[] => {
  const isLeft = ({ name }: TmuxSession): boolean => isViewerLeftBehind(name, (pid) => processes.isAlive(pid));
  return inventory.readings().tmux.servers.flatMap(({ socket, pid, problem, sessions }) =>
    sessions.filter(isLeft).map((session) => {
      const { id: sessionId, name, group, attached } = session;
      const why = 'a viewer left its session behind';
      const others = sessions.filter((other) => group !== null && other.group === group && !isLeft(other));
      const target: SessionTarget = { socket, serverPid: pid ?? 0, sessionId, name };
      const isOurs = socket === join(config.paths.tmuxTmpdir, `tmux-${config.uid}`, socket.split('/').at(-1) as string);
      if (others.length === 0)
        return warning('ORPHAN-VIEWER', name, why, 'nothing else shows its windows: look before ending it');
      if (pid === null || problem !== null || !isOurs || attached > 0)
        return warning('ORPHAN-VIEWER', name, why, `end it by hand, when nobody looks through it (${attached} do)`);
      const mend = `fleet doctor --fix --end '${sessionTargetId(target)}'; ${few(others.map((other) => other.name))} stays`;
      return warning('ORPHAN-VIEWER', name, why, mend, { kind: 'end-session', targets: sessionTargets(target) });
    }),
  );
};

/** Files of servers that were killed: a name in a folder, no server. */
export const staleSockets = ({ config, listeningSockets }: DiagnoseOptions): Finding[] => {
  const folder = join(config.paths.tmuxTmpdir, `tmux-${config.uid}`);
  const listening = new Set(listeningSockets());
  const stale = socketsIn(folder).filter((path) => !listening.has(path));
  if (stale.length === 0) return [];
  return [ok('tmux sockets', `nobody listens on ${few(stale)}: left by servers that are gone; tmux makes them anew`)];
};

const socketsIn = (folder: string): string[] => {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isSocket()).map(({ name }) => join(folder, name));
  } catch {
    return [];
  }
};
