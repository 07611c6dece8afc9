/**
 * The sources joined into rows: roster entries with their screens, units and heartbeats, then every other screen.
 * Comes in: one reading of everything, and what is remembered. Goes out: rows; nothing is asked or changed here.
 */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import { cgroupPlace, judgeFlags } from '../../src/domain/flags.ts';
import { countingHeartbeat, HEARTBEAT_INTERVAL_MS, heartbeatFacts } from '../../src/domain/heartbeat.ts';
import { isHolderSession, ownPane } from '../../src/domain/own-pane.ts';
import { belongsHere } from '../../src/domain/placement.ts';
import {
  attentionOf,
  IDLE_THRESHOLD_MS,
  judgeReadiness,
  type PromptEvidence,
  type ReadinessEvidence,
} from '../../src/domain/readiness.ts';
import { comesUpAtBoot, type RosterAgent, rosterKey, sessionNameOf } from '../../src/domain/roster.ts';
import { holdsKnownRuntime, runtimeSeen } from '../../src/domain/runtime-seen.ts';
import { SHELLS } from '../../src/domain/runtime-table.ts';
import { agentUnit } from '../../src/domain/unit-name.ts';
import type { AgentMemory } from './memory.ts';
import { lastExit, laterExit, tmuxFacts, unitFacts } from './row-facts.ts';
import { type Screen, screensOf, socketLabel } from './screens.ts';
import type {
  HeartbeatsReading,
  LaunchesReading,
  ProcessTree,
  RosterReading,
  SystemdReading,
  TmuxPane,
  TmuxReading,
} from './source.ts';

export interface Readings {
  tmux: TmuxReading;
  systemd: SystemdReading;
  heartbeats: HeartbeatsReading;
  roster: RosterReading;
  launches?: LaunchesReading;
}

export interface JoinContext {
  nowMs: number;
  /** The enrolled name, and what the machine calls itself: a roster may use either. */
  hostNames: readonly string[];
  user: string;
  /** Path of a socket by its name; null is tmux's default socket. */
  socketPath(name: string | null): string;
  tree(panePid: number): ProcessTree | null;
  cgroup(pid: number): string | null;
  isAlive(pid: number): boolean;
  launcherOf(panePid: number): string | null;
  launcherInstalled: string | null;
  killUserProcesses: boolean | null;
  /** What the agent's screen said last. */
  prompt(key: string, pane: { id: string; pid: number }): PromptEvidence | null;
  /** Called with what each row's readiness is judged from. */
  judged(key: string, evidence: ReadinessEvidence): void;
  /** null: nobody keeps count. */
  company: { watchers(key: string): readonly string[]; writer(key: string): string | null } | null;
  memory: AgentMemory;
}

export const joinRows = (readings: Readings, context: JoinContext): AgentRow[] => {
  const declared = rosterHere(readings.roster, context);
  const wanted = new Set(declared.map(({ agent, socket }) => `${socket}\n${sessionNameOf(agent.name)}`));
  const screens = screensOf(readings.tmux, {
    isHolder: (session) => isHolderSession(session, readings.roster.roster?.holderSession ?? null),
    isWanted: (socket, session) => wanted.has(`${socket}\n${session}`),
    isAlive: context.isAlive,
  });
  const taken = new Set<Screen>();
  const rows = declared.map(({ agent, socket }, order) => {
    const name = sessionNameOf(agent.name);
    const screen = screens.find(
      (each) => each.server.socket === socket && (each.session.name === name || each.members.includes(name)),
    );
    if (screen) taken.add(screen);
    return rowOf(
      { key: rosterKey(agent.name), name: agent.name, agent, screen: screen ?? null, socket, order },
      readings,
      context,
    );
  });
  const names = nameUnmanaged(
    screens.filter((screen) => !taken.has(screen)),
    new Set(declared.map(({ agent }) => agent.name)),
  );
  for (const [screen, name] of names) {
    const { server, session } = screen;
    const key = `tmux:${server.socket}:${server.pid ?? 0}:${server.startTicks ?? 0}:${session.id}`;
    rows.push(rowOf({ key, name, agent: null, screen, socket: server.socket, order: rows.length }, readings, context));
  }
  return rows;
};

/** The roster's entries for this host and user, with the socket each one uses. */
const rosterHere = (reading: RosterReading, context: JoinContext): { agent: RosterAgent; socket: string }[] =>
  (reading.roster?.agents ?? [])
    .filter((agent) => belongsHere(agent, context))
    .map((agent) => ({ agent, socket: context.socketPath(agent.socketName) }));

/** Session names, made unique by `socket:session` where one user has the name twice. */
const nameUnmanaged = (screens: Screen[], managed: ReadonlySet<string>): [Screen, string][] => {
  const counts = new Map<string, number>();
  for (const { session } of screens) counts.set(session.name, (counts.get(session.name) ?? 0) + 1);
  const labels = new Map<string, number>();
  const label = ({ server, session }: Screen) => `${socketLabel(server.socket)}:${session.name}`;
  for (const screen of screens) labels.set(label(screen), (labels.get(label(screen)) ?? 0) + 1);
  return screens.map((screen) => {
    const { name } = screen.session;
    if (counts.get(name) === 1 && !managed.has(name)) return [screen, name];
    return [screen, labels.get(label(screen)) === 1 ? label(screen) : `${screen.server.socket}:${name}`];
  });
};

interface Subject {
  key: string;
  name: string;
  agent: RosterAgent | null;
  screen: Screen | null;
  socket: string;
  order: number;
}

const rowOf = (subject: Subject, readings: Readings, context: JoinContext): AgentRow => {
  const { key, name, agent, screen } = subject;
  const { nowMs, memory } = context;
  const server = screen?.server ?? readings.tmux.servers.find(({ socket }) => socket === subject.socket) ?? null;
  const reading = readings.heartbeats.byAgent.get(name) ?? null;
  const env = readings.roster.env.get(name);
  const intervalMs = positive(env?.get('MOSAIC_HEARTBEAT_INTERVAL'), HEARTBEAT_INTERVAL_MS);
  const heartbeat = heartbeatFacts(reading, nowMs, intervalMs);
  const unit = readings.systemd.units.get(agentUnit(agent?.name ?? screen?.session.name ?? name)) ?? null;

  const own = screen ? chooseOwnPane(key, screen, heartbeat.pid, context) : null;
  const pane = own?.pane ?? null;
  const tree = pane && !pane.dead ? context.tree(pane.pid) : null;
  const seen = tree ? runtimeSeen(tree) : null;
  const launch = agent === null ? null : (readings.launches?.byAgent.get(name) ?? null);
  const past = memory.see(key, { nowMs, pane, unit, tree, hasSession: screen !== null });
  const lastOutputMs = latestOutput(pane, nowMs);
  const isShell = seen?.runtime != null && SHELLS.test(seen.runtime);
  const startedMs = tree?.processes[0]?.startedMs ?? null;
  const idleThresholdMs = positive(env?.get('MOSAIC_HEARTBEAT_IDLE_THRESHOLD'), IDLE_THRESHOLD_MS);
  const evidence: ReadinessEvidence = {
    nowMs,
    idleThresholdMs,
    managed: agent !== null,
    lifecycle: agent?.lifecycle ?? null,
    cannotAsk: server?.problem?.words ?? null,
    sessionFound: screen !== null,
    paneUnknown: own?.unknown ?? null,
    pane: pane && { dead: pane.dead, exitStatus: pane.exitStatus, signal: pane.signal, diedMs: past.diedMs },
    lastOutputMs,
    heartbeat,
    beatingProcessAlive: heartbeat.pid === null ? null : context.isAlive(heartbeat.pid),
    heartbeatStaleAtMs: heartbeat.tsMs === null ? null : heartbeat.tsMs + 3 * intervalMs,
    unit,
    shellInPlace: agent?.runtime && isShell && seen?.runtime !== agent.runtime ? (seen?.runtime ?? null) : null,
    prompt: pane && !pane.dead ? context.prompt(key, pane) : null,
    lastRun: launch?.lastRun ?? null,
    startRefused: launch?.refused ?? null,
  };
  const verdict = judgeReadiness(evidence);
  context.judged(key, evidence);
  // What began within the idle threshold has been working ever since.
  const isYoung = startedMs !== null && nowMs - startedMs < idleThresholdMs;
  const atFirstMs = verdict.readiness === 'working' && isYoung ? startedMs : null;
  const stateSinceMs = memory.stateSince(key, verdict.readiness, { knownMs: verdict.sinceMs, atFirstMs, nowMs });
  const flags = judgeFlags({
    managed: agent !== null,
    sessionMissing: screen === null && server?.problem == null,
    runtimeDeclared: agent?.runtime ?? null,
    runtimeSeen: seen?.runtime ?? null,
    modelDeclared: agent?.model ?? null,
    modelSeen: countingHeartbeat(reading, nowMs, intervalMs)?.model ?? null,
    unit,
    comesUpAtBoot: agent === null || comesUpAtBoot(agent),
    unitNeedsReload: unit?.needsReload ?? false,
    linger: readings.systemd.linger,
    heartbeat,
    panePids: tree && new Set(tree.processes.map(({ pid }) => pid)),
    launcherSeen: pane ? context.launcherOf(pane.pid) : null,
    launcherInstalled: context.launcherInstalled,
    serverPlace: serverPlace(server?.pid ?? null, name, context),
    killUserProcesses: context.killUserProcesses,
    orphanViewer: screen?.orphanViewer ?? false,
    restartsLately: past.restartsLately,
  });
  return {
    key,
    agent: name,
    managed: agent !== null,
    source: agent === null ? 'socket' : 'roster',
    role: agent?.role ?? null,
    runtime: agent?.runtime ?? null,
    model: agent?.model ?? null,
    effort: agent?.effort ?? null,
    lifecycle: agent?.lifecycle ?? null,
    runtimeSeen: seen?.runtime ?? null,
    modelSeen: countingHeartbeat(reading, nowMs, intervalMs)?.model ?? null,
    unit: unit && unitFacts(unit),
    tmux: screen && tmuxFacts(screen, pane),
    heartbeat,
    lastOutputMs,
    startedMs,
    stateSinceMs,
    lastExit: lastExit(pane, past.diedMs) ?? laterExit(launch?.lastRun ?? null, past.lastExit),
    rssBytes: past.rssBytes,
    cpuPercent: past.cpuPercent,
    watchers: context.company?.watchers(key).length ?? 0,
    writer: context.company?.writer(key) ?? null,
    readiness: verdict.readiness,
    reason: verdict.reason,
    reasonCode: verdict.reasonCode,
    attention: attentionOf(key, verdict, verdict.sinceMs ?? stateSinceMs),
    flags,
    order: subject.order,
  };
};

const positive = (seconds: string | undefined, fallbackMs: number): number => {
  const value = Number(seconds);
  return Number.isFinite(value) && value > 0 ? value * 1_000 : fallbackMs;
};

const chooseOwnPane = (
  key: string,
  screen: Screen,
  heartbeatPid: number | null,
  context: JoinContext,
): { pane: TmuxPane | null; unknown: string | null } => {
  const panes = screen.panes.map(({ id, pid, dead }) => ({ id, tree: dead ? null : context.tree(pid) }));
  // A pane that held the runtime stays the agent's when it dies, whatever else was split off beside it.
  const recorded = screen.panes.find(({ id, dead }) => dead && id === context.memory.runtimePane(key));
  const choice = ownPane(panes, { recordedPaneId: recorded?.id ?? null, heartbeatPid });
  const chosen = panes.find(({ id }) => id === choice.paneId);
  if (chosen?.tree && holdsKnownRuntime(chosen.tree)) context.memory.recordRuntimePane(key, chosen.id);
  return { pane: screen.panes.find(({ id }) => id === choice.paneId) ?? null, unknown: choice.unknownBecause };
};

const latestOutput = (pane: TmuxPane | null, nowMs: number): number | null =>
  pane?.activityMs == null ? null : Math.min(pane.activityMs, nowMs);

const serverPlace = (pid: number | null, agent: string, context: JoinContext) => {
  const path = pid === null ? null : context.cgroup(pid);
  return path === null ? null : cgroupPlace(path, agent);
};
