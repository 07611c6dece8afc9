/** The texts of our user units, and their placing: written only when different, restarted only when they changed. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { UserManager } from './user-manager.ts';
import { writeIfDifferent } from './write-file.ts';

export const HOST_AGENT_UNIT = 'fleet-host-agent.service';
export const CONTROLLER_UNIT = 'fleet-controller.service';

// KillMode: stopping the host-agent signals nothing but itself; its tmux clients leave when their input closes,
// and a signal to one of them can end a tmux server before 3.7.
const KILL_MODE = { [HOST_AGENT_UNIT]: 'process', [CONTROLLER_UNIT]: 'mixed' } as const;
const MEMORY_MAX = { [HOST_AGENT_UNIT]: '512M', [CONTROLLER_UNIT]: '2G' } as const;
const DESCRIPTION = {
  [HOST_AGENT_UNIT]: "fleet host-agent: shows this user's agents",
  [CONTROLLER_UNIT]: 'fleet controller: the merged picture of all hosts',
} as const;
const PROGRAM = { [HOST_AGENT_UNIT]: 'fleet-host-agent', [CONTROLLER_UNIT]: 'fleet-controller' } as const;

export type DaemonUnit = typeof HOST_AGENT_UNIT | typeof CONTROLLER_UNIT;

/**
 * Only what a user manager can enforce without namespaces: with those, /tmp and its tmux sockets would be others.
 * The version stands in the path, so that a unit and the program that it runs always belong together.
 */
export const daemonUnitText = (unit: DaemonUnit, versionId: string): string => `[Unit]
Description=${DESCRIPTION[unit]}
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=%h/.local/share/fleet/versions/${versionId}/bin/${PROGRAM[unit]}
EnvironmentFile=-%h/.config/fleet/${PROGRAM[unit]}.env
Restart=always
RestartSec=1
KillMode=${KILL_MODE[unit]}
TimeoutStopSec=15
UMask=0077
MemoryMax=${MEMORY_MAX[unit]}
TasksMax=512
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

[Install]
WantedBy=default.target
`;

export type UnitOutcome = 'started' | 'restarted' | 'unchanged';

/** Writes, enables and runs one unit. `restart`: also when its text is the same. */
export const ensureUnit = async (
  manager: UserManager,
  folder: string,
  unit: string,
  text: string,
  options: { restart?: boolean } = {},
): Promise<UnitOutcome> => {
  const written = await writeIfDifferent(join(folder, unit), text, 0o644);
  const before = await manager.show(unit, ['ActiveState', 'UnitFileState', 'NeedDaemonReload']);
  if (written || before.NeedDaemonReload === 'yes') await manager.reload();
  if (before.UnitFileState !== 'enabled') await manager.enable(unit);
  const isActive = before.ActiveState === 'active' || before.ActiveState === 'reloading';
  if (isActive && !written && !options.restart) return 'unchanged';
  await manager.restart(unit);
  return isActive ? 'restarted' : 'started';
};

/** True when there was something to stop. The unit stays where it is, but does not come back at boot. */
export const stopUnit = async (manager: UserManager, unit: string): Promise<boolean> => {
  const state = await manager.show(unit, ['LoadState', 'ActiveState', 'UnitFileState']);
  if (state.LoadState === 'not-found') return false;
  if (state.UnitFileState === 'enabled') await manager.disable(unit);
  if (state.ActiveState === 'inactive') return false;
  await manager.stop(unit);
  return true;
};

/** Stops a unit and removes its file; true when there was one. */
export const removeUnit = async (manager: UserManager, folder: string, unit: string): Promise<boolean> => {
  const file = join(folder, unit);
  const isThere = await readFile(file).then(
    () => true,
    () => false,
  );
  if (!isThere) return false;
  await stopUnit(manager, unit);
  await rm(file, { force: true });
  await manager.reload();
  return true;
};
