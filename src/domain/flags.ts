import { FLAGS, type Flag, type HeartbeatFacts, type UnitFacts } from './agent-row.ts';
import { HOLDER_UNIT } from './holder.ts';
import { agentUnit } from './unit-name.ts';

/** What the flags are decided from; null where it could not be learnt, and then the flag is not set. */
export interface FlagEvidence {
  managed: boolean;
  /** tmux could be asked, and has no session of this name. */
  sessionMissing: boolean;
  runtimeDeclared: string | null;
  runtimeSeen: string | null;
  modelDeclared: string | null;
  modelSeen: string | null;
  unit: UnitFacts | null;
  /** Its unit is meant to start it at each boot. */
  comesUpAtBoot: boolean;
  unitNeedsReload: boolean;
  /** The user manager will start at boot. */
  linger: boolean | null;
  heartbeat: HeartbeatFacts;
  /** Pids of the pane's process tree. */
  panePids: ReadonlySet<number> | null;
  launcherSeen: string | null;
  launcherInstalled: string | null;
  serverPlace: CgroupPlace | null;
  killUserProcesses: boolean | null;
  orphanViewer: boolean;
  restartsLately: number;
}

/** Restarts within the watched window (10 minutes) that make a loop. */
const CRASH_LOOP_RESTARTS = 3;

/** Every flag that the evidence supports, in the order of the closed set. */
export const judgeFlags = (evidence: FlagEvidence): Flag[] => FLAGS.filter((flag) => RULES[flag](evidence));

const differ = (a: string | null, b: string | null): boolean => a !== null && b !== null && a !== b;

const RULES: Record<Flag, (evidence: FlagEvidence) => boolean> = {
  DRIFT: (e) => e.managed && differ(e.runtimeDeclared, e.runtimeSeen),
  'BOOT-ENABLE': ({ unit, comesUpAtBoot }) =>
    comesUpAtBoot && unit?.activeState === 'active' && unit.unitFileState === 'disabled',
  'LINGER-OFF': (e) => e.linger === false && (e.managed || e.unit !== null),
  UNMANAGED: (e) => !e.managed,
  MISSING: (e) => e.managed && e.sessionMissing,
  'STALE-UNIT': (e) => e.unitNeedsReload,
  'MODEL-DRIFT': (e) => e.managed && differ(e.modelDeclared, e.modelSeen),
  'FOREIGN-HEARTBEAT': ({ heartbeat, panePids }) =>
    heartbeat.pid !== null && heartbeat.state !== 'missing' && panePids !== null && !panePids.has(heartbeat.pid),
  'VERSION-SKEW': (e) => differ(e.launcherSeen, e.launcherInstalled),
  UNPROTECTED: ({ serverPlace, killUserProcesses }) =>
    serverPlace !== null &&
    (serverPlace.kind === 'foreign-unit' || (serverPlace.kind === 'login' && killUserProcesses === true)),
  'ORPHAN-VIEWER': (e) => e.orphanViewer,
  'CRASH-LOOP': (e) => e.restartsLately >= CRASH_LOOP_RESTARTS,
};

/** Where a tmux server lives, and so with what it would die. */
export interface CgroupPlace {
  kind: 'login' | 'own-unit' | 'foreign-unit' | 'other';
  unit: string | null;
}

/** Units whose end is meant to be the end of the tmux server inside. */
const isFleetUnit = (unit: string, agent: string | null): boolean =>
  unit === HOLDER_UNIT || (agent !== null && unit === agentUnit(agent));

/**
 * A systemd cgroup path, such as `/user.slice/user-1000.slice/session-3.scope` or
 * `…/user@1000.service/app.slice/foo.service`, as the place of a server that serves `agent`.
 */
export const cgroupPlace = (path: string, agent: string | null): CgroupPlace => {
  const parts = path.split('/').filter((part) => part !== '');
  const leaf = parts.findLast((part) => part.endsWith('.service') || part.endsWith('.scope'));
  if (leaf === undefined) return { kind: 'other', unit: null };
  if (/^session-.+\.scope$/.test(leaf)) return { kind: 'login', unit: leaf };
  if (/^user@\d+\.service$/.test(leaf) || leaf === 'init.scope') return { kind: 'other', unit: leaf };
  if (leaf.endsWith('.scope')) return { kind: 'own-unit', unit: leaf };
  return { kind: isFleetUnit(leaf, agent) ? 'own-unit' : 'foreign-unit', unit: leaf };
};
