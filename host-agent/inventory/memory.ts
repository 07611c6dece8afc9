/**
 * What a single reading cannot tell: since when a state holds, when a pane died, how often it came back, how busy
 * its tree was between two looks. In memory only; forgotten with the agent.
 */
import type { LastExit, UnitFacts } from '../../src/domain/agent-row.ts';
import type { ProcessTree, TmuxPane } from './source.ts';

export interface Sight {
  nowMs: number;
  pane: TmuxPane | null;
  unit: UnitFacts | null;
  tree: ProcessTree | null;
  hasSession: boolean;
}

export interface Past {
  diedMs: number | null;
  lastExit: LastExit | null;
  restartsLately: number;
  rssBytes: number | null;
  cpuPercent: number | null;
}

interface Remembered extends Past {
  readiness: string | null;
  stateSinceMs: number | null;
  panePid: number | null;
  runtimePane: string | null;
  hadSession: boolean;
  unitRestarts: number | null;
  unitMoments: number[];
  paneMoments: number[];
  cpu: { tree: ProcessTree; ticks: number; atMs: number } | null;
}

/** Restarts further apart than this are no loop. */
const RESTART_WINDOW_MS = 600_000;
const TICKS_PER_SECOND = 100;
/** Smaller moves of memory or load are not worth a row on the wire. */
const RSS_SHARE = 0.1;
const CPU_POINTS = 3;

export class AgentMemory {
  readonly #agents = new Map<string, Remembered>();

  see(key: string, sight: Sight): Past {
    const fresh = !this.#agents.has(key);
    const held = this.#agents.get(key) ?? blank();
    this.#agents.set(key, held);
    this.#seePane(held, sight, fresh);
    this.#seeRestarts(held, sight, fresh);
    this.#seeLoad(held, sight);
    return held;
  }

  /**
   * `knownMs` is what the evidence itself says; else the moment at which this state was first seen. Of a state that was
   * there at the first look only `atFirstMs` is known, if anything.
   */
  stateSince(
    key: string,
    readiness: string,
    { knownMs, atFirstMs, nowMs }: { knownMs: number | null; atFirstMs: number | null; nowMs: number },
  ): number | null {
    const held = this.#agents.get(key);
    if (!held) return knownMs;
    if (held.readiness !== readiness) {
      held.stateSinceMs = held.readiness === null ? atFirstMs : nowMs;
      held.readiness = readiness;
    }
    return knownMs ?? held.stateSinceMs;
  }

  /** The pane in which this agent's runtime was last seen alive. */
  runtimePane(key: string): string | null {
    return this.#agents.get(key)?.runtimePane ?? null;
  }

  recordRuntimePane(key: string, paneId: string): void {
    const held = this.#agents.get(key);
    if (held) held.runtimePane = paneId;
  }

  /** Keeps only these agents. */
  retain(keys: ReadonlySet<string>): void {
    for (const key of this.#agents.keys()) if (!keys.has(key)) this.#agents.delete(key);
  }

  #seePane(held: Remembered, { nowMs, pane, hasSession }: Sight, fresh: boolean): void {
    if (pane?.dead) held.diedMs ??= fresh ? pane.activityMs : nowMs;
    else held.diedMs = null;
    if (pane?.dead) held.lastExit = { status: pane.exitStatus, signal: pane.signal, atMs: held.diedMs };
    else if (held.hadSession && !hasSession) held.lastExit = { status: null, signal: null, atMs: nowMs };
    held.hadSession = hasSession;
  }

  #seeRestarts(held: Remembered, { nowMs, pane, unit }: Sight, fresh: boolean): void {
    const byUnit = unit?.restarts ?? null;
    const unitRestarted = byUnit !== null && held.unitRestarts !== null ? Math.max(0, byUnit - held.unitRestarts) : 0;
    const respawned = !fresh && pane !== null && held.panePid !== null && pane.pid !== held.panePid ? 1 : 0;
    // A unit that comes back has a new pane, often seen a moment later: each way counts for itself.
    held.unitMoments = lately(held.unitMoments, unitRestarted, nowMs);
    held.paneMoments = lately(held.paneMoments, respawned, nowMs);
    held.restartsLately = Math.max(held.unitMoments.length, held.paneMoments.length);
    held.unitRestarts = byUnit;
    if (pane !== null) held.panePid = pane.pid;
  }

  #seeLoad(held: Remembered, { nowMs, tree }: Sight): void {
    if (tree === null) {
      held.rssBytes = held.cpuPercent = held.cpu = null;
      return;
    }
    // The same reading of /proc as last time tells nothing new.
    if (held.cpu?.tree === tree) return;
    const rss = tree.processes.reduce((sum, process) => sum + process.rssBytes, 0);
    if (held.rssBytes === null || Math.abs(rss - held.rssBytes) > held.rssBytes * RSS_SHARE) held.rssBytes = rss;
    const ticks = tree.processes.reduce((sum, process) => sum + process.cpuTicks, 0);
    const seconds = held.cpu === null ? 0 : (nowMs - held.cpu.atMs) / 1_000;
    if (seconds >= 1) {
      // A child that ended takes its ticks with it: never less than nothing.
      const percent = Math.round((Math.max(0, ticks - held.cpu!.ticks) / TICKS_PER_SECOND / seconds) * 100);
      if (held.cpuPercent === null || Math.abs(percent - held.cpuPercent) >= CPU_POINTS) held.cpuPercent = percent;
    }
    if (held.cpu === null || seconds >= 1) held.cpu = { tree, ticks, atMs: nowMs };
  }
}

const lately = (moments: readonly number[], more: number, nowMs: number): number[] =>
  [...moments, ...Array.from({ length: more }, () => nowMs)].filter((at) => nowMs - at < RESTART_WINDOW_MS).slice(-16);

const blank = (): Remembered => ({
  readiness: null,
  stateSinceMs: null,
  panePid: null,
  runtimePane: null,
  hadSession: false,
  unitRestarts: null,
  unitMoments: [],
  paneMoments: [],
  cpu: null,
  diedMs: null,
  lastExit: null,
  restartsLately: 0,
  rssBytes: null,
  cpuPercent: null,
});
