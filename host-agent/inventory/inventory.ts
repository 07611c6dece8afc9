/**
 * Keeps this machine's rows in the view: joins the sources whenever one of them says "look now", and once a second
 * for what only time changes. A row that came out the same is no change.
 */
import { hostname } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import type { AgentRow } from '../../src/domain/agent-row.ts';
import type { PromptEvidence, ReadinessEvidence } from '../../src/domain/readiness.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import type { FleetView } from '../../src/view/fleet-view.ts';
import { encodeAgentRow } from '../../src/wire/agent-row.ts';
import { type JoinContext, joinRows, type Readings } from './join.ts';
import { AgentMemory } from './memory.ts';
import { ProcessCache } from './process-cache.ts';
import type {
  HeartbeatsReading,
  LaunchesReading,
  ProcessTable,
  RosterReading,
  Source,
  SystemdReading,
  TmuxReading,
} from './source.ts';

export interface InventorySources {
  tmux: Source<TmuxReading>;
  systemd: Source<SystemdReading>;
  heartbeats: Source<HeartbeatsReading>;
  roster: Source<RosterReading>;
  /** Absent where nothing is launched by us. */
  launches?: Source<LaunchesReading>;
  processes: ProcessTable;
}

/** Who looks at an agent and who types into it. */
export interface RowCompany {
  watchers(key: string): readonly string[];
  writer(key: string): string | null;
  onChange(listener: () => void): Disposable;
}

export interface InventoryOptions {
  sources: InventorySources;
  view: FleetView;
  clock: Clock;
  names(): { host: string; user: string };
  socketPath(name: string | null): string;
  launcherInstalled: string | null;
}

/** What reads the agents' screens, if anything does. */
export interface ScreenWords {
  evidence(key: string, pane: { id: string; pid: number }): PromptEvidence | null;
  onChange(listener: () => void): Disposable;
}

/** Changes that come closer together than this are one look. */
const COALESCE_MS = 10;
const TICK_MS = 1_000;

export class Inventory {
  readonly #options: InventoryOptions;
  readonly #memory = new AgentMemory();
  readonly #processes: ProcessCache;
  readonly #looked = new Listeners();
  #rows: AgentRow[] = [];
  #judged = new Map<string, ReadinessEvidence>();
  #screens: ScreenWords | null = null;
  #company: RowCompany | null = null;

  constructor(options: InventoryOptions) {
    this.#options = options;
    this.#processes = new ProcessCache(options.sources.processes, options.clock);
  }

  /** The rows of the last look. */
  get rows(): readonly AgentRow[] {
    return this.#rows;
  }

  /** After each look, whatever it found. */
  onLook(listener: () => void): Disposable {
    return this.#looked.add(listener);
  }

  /** What the readiness of this row was judged from at the last look. */
  evidence(key: string): ReadinessEvidence | undefined {
    return this.#judged.get(key);
  }

  /** From now on what the screens say counts, and is looked at anew whenever it changes. */
  heed(screens: ScreenWords): Disposable {
    this.#screens = screens;
    return screens.onChange(() => this.look());
  }

  /** From now on rows say who looks and who types, and are looked at anew whenever that changes. */
  countCompany(company: RowCompany): Disposable {
    this.#company = company;
    return company.onChange(() => this.look());
  }

  readings(): Readings {
    const { tmux, systemd, heartbeats, roster, launches } = this.#options.sources;
    return {
      tmux: tmux.current(),
      systemd: systemd.current(),
      heartbeats: heartbeats.current(),
      roster: roster.current(),
      ...(launches && { launches: launches.current() }),
    };
  }

  /** Starts the sources, takes the first look, and keeps looking until the signal aborts. */
  async start(signal: AbortSignal): Promise<void> {
    const { tmux, systemd, heartbeats, roster, launches } = this.#options.sources;
    const all = [tmux, systemd, heartbeats, roster, ...(launches ? [launches] : [])] as const;
    await Promise.all(all.map((source) => source.start(signal)));
    this.look();
    void this.#run(all, signal);
  }

  /** One look: everything joined, the differences put into the view. */
  look(): void {
    const { view, sources, clock } = this.#options;
    const readings = this.readings();
    this.#processes.refresh(readings.tmux);
    const { host, user } = this.#options.names();
    const judged = new Map<string, ReadinessEvidence>();
    const context: JoinContext = {
      nowMs: clock.nowMs(),
      hostNames: [host, hostname()],
      user,
      socketPath: this.#options.socketPath,
      tree: (pid) => this.#processes.tree(pid),
      cgroup: (pid) => this.#processes.cgroup(pid),
      isAlive: (pid) => sources.processes.isAlive(pid),
      launcherOf: (pid) => this.#processes.environment(pid, 'MOSAIC_FLEET_LAUNCHER'),
      launcherInstalled: this.#options.launcherInstalled,
      killUserProcesses: readings.systemd.killUserProcesses,
      prompt: (key, pane) => this.#screens?.evidence(key, pane) ?? null,
      company: this.#company,
      judged: (key, evidence) => judged.set(key, evidence),
      memory: this.#memory,
    };
    const before = new Map(this.#rows.map((row) => [row.key, row]));
    this.#rows = joinRows(readings, context);
    this.#judged = judged;
    const here = view.hereId;
    if (here !== null) this.#show(view, here, before);
    this.#looked.emit();
  }

  #show(view: FleetView, here: string, before: ReadonlyMap<string, AgentRow>): void {
    const keys = new Set(this.#rows.map(({ key }) => key));
    const held = view.rowsOf(here);
    // Comparing is much cheaper than encoding, and most looks find nothing new.
    for (const row of this.#rows)
      if (!held.has(row.key) || !isDeepStrictEqual(row, before.get(row.key)))
        view.putRow(here, row.key, encodeAgentRow(row));
    for (const key of [...view.rowsOf(here).keys()]) if (!keys.has(key)) view.removeRow(here, key);
    this.#memory.retain(keys);
  }

  async #run(sources: readonly Source<unknown>[], signal: AbortSignal): Promise<void> {
    let wake = new AbortController();
    using stack = new DisposableStack();
    for (const source of sources) stack.use(source.onChange(() => wake.abort()));
    while (!signal.aborted) {
      await sleep(TICK_MS, AbortSignal.any([signal, wake.signal]));
      if (wake.signal.aborted) await sleep(COALESCE_MS, signal);
      wake = new AbortController();
      if (!signal.aborted) this.look();
    }
  }
}
