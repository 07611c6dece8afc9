/**
 * Process trees of panes, read from /proc when something about a pane changed or a reading grows old; never for
 * every look, since looks come with every line an agent prints.
 */
import type { Clock } from '../../src/runtime/clock.ts';
import type { ProcessTable, ProcessTree, TmuxPane, TmuxReading } from './source.ts';

/** A process that replaces itself without tmux noticing is seen within this time. */
const OLD_MS = 5_000;
const ENVIRONMENT_OLD_MS = 60_000;

interface Held {
  command: string;
  readMono: number;
  tree: ProcessTree | null;
}

export class ProcessCache {
  readonly #table: ProcessTable;
  readonly #clock: Clock;
  readonly #held = new Map<number, Held>();

  readonly #facts = new Map<string, { value: string | null; readMono: number }>();

  constructor(table: ProcessTable, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  /** Brings the trees of all living panes up to date, those that need it. */
  refresh(reading: TmuxReading): void {
    const now = this.#clock.monotonicMs();
    const panes = reading.servers.flatMap((server) => [...server.panes.values()]).filter((pane) => !pane.dead);
    const due = panes.filter((pane) => this.#isDue(pane, now));
    const trees = due.length > 0 ? this.#table.trees(due.map(({ pid }) => pid)) : new Map<number, ProcessTree>();
    for (const { pid, command } of due) this.#held.set(pid, { command, readMono: now, tree: trees.get(pid) ?? null });
    for (const [what, { readMono }] of this.#facts) if (now - readMono > ENVIRONMENT_OLD_MS) this.#facts.delete(what);
    const living = new Set(panes.map(({ pid }) => pid));
    for (const pid of this.#held.keys()) if (!living.has(pid)) this.#held.delete(pid);
  }

  /** cgroup path of a process, as systemd names it; at most `OLD_MS` old. */
  cgroup(pid: number): string | null {
    return this.#remember(`cgroup ${pid}`, () => this.#table.cgroup(pid));
  }

  /** As it was at its exec; the first word about a pid counts for a while. */
  environment(pid: number, name: string): string | null {
    return this.#remember(`env ${pid} ${name}`, () => this.#table.environment(pid, name), ENVIRONMENT_OLD_MS);
  }

  tree(panePid: number): ProcessTree | null {
    return this.#held.get(panePid)?.tree ?? null;
  }

  #remember(what: string, read: () => string | null, oldMs = OLD_MS): string | null {
    const now = this.#clock.monotonicMs();
    const held = this.#facts.get(what);
    if (held && now - held.readMono < oldMs) return held.value;
    const value = read();
    this.#facts.set(what, { value, readMono: now });
    return value;
  }

  #isDue(pane: TmuxPane, now: number): boolean {
    const held = this.#held.get(pane.pid);
    return held === undefined || held.command !== pane.command || now - held.readMono >= OLD_MS;
  }
}
