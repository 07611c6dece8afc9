/**
 * Reads the screens of agents whose runtime has rules, each when something about its pane has changed: at most once a
 * second, and once more after it has settled. Nothing is read while nothing changes, and readings are kept live only.
 */
import type { AgentRow } from '../../src/domain/agent-row.ts';
import type { PromptEvidence } from '../../src/domain/readiness.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import type { PaneRef, ScreenReader } from '../terminal/ports.ts';
import { promptEvidence } from './evidence.ts';
import { paneOf, runtimeOf } from './pane-of.ts';
import type { ScreenPrompts } from './screen-prompts.ts';

export interface PromptWatchOptions {
  agents: {
    /** The rows of the last look. */
    readonly rows: readonly AgentRow[];
    /** After each look. */
    onLook(listener: () => void): Disposable;
  };
  screens: ScreenReader;
  prompts: ScreenPrompts;
  clock: Clock;
  log: Logger;
}

interface Watched {
  /** What the pane looked like from outside when its screen was last read. */
  readSight: string;
  sight: string;
  readMono: number;
  /** The screen is read once more then; Infinity: nothing is expected. */
  settlesMono: number;
  reading: boolean;
  evidence: PromptEvidence | null;
}

const MIN_INTERVAL_MS = 1_000;
/** tmux stamps output in whole seconds: what came right after a reading shows no later than with this one. */
const SETTLED_MS = 1_500;
const READ_TIMEOUT_MS = 3_000;
const RETRY_MS = 5_000;
const AT_ONCE = 4;

export class PromptWatch {
  readonly #options: PromptWatchOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #changed = new Listeners();
  #wake = new AbortController();
  #running = 0;

  constructor(options: PromptWatchOptions) {
    this.#options = options;
  }

  /** What the screen of this pane said last; null: nothing yet, or no rules for it. */
  evidence(key: string, pane: { id: string; pid: number }): PromptEvidence | null {
    const watched = this.#watched.get(key);
    return watched?.sight.startsWith(`${pane.id} ${pane.pid} `) ? watched.evidence : null;
  }

  onChange(listener: () => void): Disposable {
    return this.#changed.add(listener);
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { agents, clock } = this.#options;
    using _looks = agents.onLook(() => this.#look());
    this.#look();
    while (!signal.aborted) {
      const due = this.#readDue(signal);
      const ms = Math.max(10, Math.min(due - clock.monotonicMs(), 60_000));
      await sleep(ms, AbortSignal.any([signal, this.#wake.signal]));
      if (this.#wake.signal.aborted) this.#wake = new AbortController();
    }
  }

  #look(): void {
    const { agents, prompts, clock } = this.#options;
    const seen = new Set<string>();
    let changed = false;
    for (const row of agents.rows) {
      const version = prompts.version(runtimeOf(row));
      const pane = version === null || row.tmux?.dead !== false ? null : paneOf(row);
      if (pane === null) continue;
      seen.add(row.key);
      const sight = sightOf(row, pane, version as string);
      const watched = this.#watched.get(row.key) ?? blank();
      this.#watched.set(row.key, watched);
      if (watched.sight === sight) continue;
      watched.sight = sight;
      watched.settlesMono = clock.monotonicMs() + SETTLED_MS;
      changed = true;
    }
    for (const key of this.#watched.keys()) if (!seen.has(key)) this.#watched.delete(key);
    if (changed) this.#wake.abort();
  }

  /** Begins what is due and returns the moment of the next. */
  #readDue(signal: AbortSignal): number {
    const now = this.#options.clock.monotonicMs();
    let next = Number.POSITIVE_INFINITY;
    for (const [key, watched] of this.#watched) {
      if (watched.reading) continue;
      const atMono =
        watched.sight === watched.readSight
          ? watched.settlesMono
          : Math.min(watched.settlesMono, watched.readMono + MIN_INTERVAL_MS);
      if (atMono > now) next = Math.min(next, atMono);
      else if (this.#running < AT_ONCE) void this.#read(key, watched, signal);
    }
    return next;
  }

  async #read(key: string, watched: Watched, signal: AbortSignal): Promise<void> {
    const { agents, screens, prompts, clock, log } = this.#options;
    const row = agents.rows.find((each) => each.key === key);
    const pane = row && paneOf(row);
    const settled = clock.monotonicMs() >= watched.settlesMono;
    watched.readSight = watched.sight;
    watched.readMono = clock.monotonicMs();
    if (settled) watched.settlesMono = Number.POSITIVE_INFINITY;
    if (row === undefined || !pane) return;
    watched.reading = true;
    this.#running += 1;
    try {
      const picture = await screens.read(pane, AbortSignal.any([signal, AbortSignal.timeout(READ_TIMEOUT_MS)]));
      const reading = prompts.reading(runtimeOf(row), picture);
      const evidence = promptEvidence(reading, runtimeOf(row), watched.evidence, row.lastOutputMs ?? clock.nowMs());
      this.#take(key, watched, evidence);
    } catch (error) {
      if (signal.aborted) return;
      // Not seen is not known: what was read before is no evidence of now.
      this.#take(key, watched, null);
      watched.settlesMono = Math.min(watched.settlesMono, clock.monotonicMs() + RETRY_MS);
      log.debug({ err: error, agent: row.agent }, 'screen could not be read');
    } finally {
      watched.reading = false;
      this.#running -= 1;
      this.#wake.abort();
    }
  }

  #take(key: string, watched: Watched, evidence: PromptEvidence | null): void {
    const before = watched.evidence;
    watched.evidence = evidence;
    const news = evidence?.rule !== before?.rule || evidence?.promptId !== before?.promptId;
    if (news && this.#watched.get(key) === watched) this.#changed.emit();
  }
}

/** Whatever is different when the screen is another one, as far as tmux's lists tell. */
const sightOf = ({ tmux, lastOutputMs }: AgentRow, pane: PaneRef, rules: string): string =>
  `${pane.paneId} ${pane.panePid} ${JSON.stringify([
    lastOutputMs,
    tmux?.title,
    tmux?.command,
    tmux?.width,
    tmux?.height,
    tmux?.alternateScreen,
    rules,
  ])}`;

const blank = (): Watched => ({
  readSight: '',
  sight: '',
  readMono: Number.NEGATIVE_INFINITY,
  settlesMono: Number.POSITIVE_INFINITY,
  reading: false,
  evidence: null,
});
