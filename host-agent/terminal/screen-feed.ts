/**
 * In: one watched agent. Out: its screen as a log, its status, its end. Follows the agent from pane to pane while
 * anybody watches. Never: a byte or a size to the pane, or an end that the inventory did not see.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import { Wake } from '../../src/runtime/wake.ts';
import { ScreenLog } from '../../src/screen/screen-log.ts';
import type { WatchedScreen } from '../../src/screen/stream-screen.ts';
import type { TerminalEnd, TerminalStatus } from '../../src/wire/gen/fleet/v1/terminal.ts';
import { lookAtPane, SCREEN_ROWS } from '../tmux/pane-look.ts';
import type { OutputWatch, PaneOutputs } from '../tmux/pane-outputs.ts';
import type { Questions } from '../tmux/questions.ts';
import type { SessionOutput } from '../tmux/session-output.ts';
import type { EndOfScreen } from './end-of-screen.ts';
import { pictureOf } from './pane-screens.ts';
import { CaptureParser } from './parse-capture.ts';
import type { AgentPanes, Company, PaneRef } from './ports.ts';

export interface ScreenFeedOptions {
  key: string;
  panes: AgentPanes;
  company: Company;
  questions: Questions;
  outputs: PaneOutputs;
  clock: Clock;
  end: EndOfScreen;
  frameMs: number;
  pollMs: number;
}

/** A screen that prints nothing is looked at this often, to prove that it is still what it was. */
const PROOF_MS = 1_000;
const CHEAP_POLL_MS = 40;
const CANNOT_BE_READ = 'its pane cannot be read';

const isSamePane = (a: PaneRef, b: PaneRef | undefined): boolean =>
  b !== undefined &&
  a.socket === b.socket &&
  a.sessionId === b.sessionId &&
  a.paneId === b.paneId &&
  a.panePid === b.panePid;

type Look = 'changed' | 'same' | 'failed';

export class ScreenFeed implements WatchedScreen {
  readonly #options: ScreenFeedOptions;
  readonly #changed = new Listeners();
  readonly #wake = new Wake();
  readonly log = new ScreenLog();
  #ended: TerminalEnd | null = null;
  #output: SessionOutput | null = null;
  #apart: string | null = CANNOT_BE_READ;
  #provedMono: number;
  #dead = false;

  constructor(options: ScreenFeedOptions) {
    this.#options = options;
    this.#provedMono = options.clock.monotonicMs();
  }

  get ended(): TerminalEnd | null {
    return this.#ended;
  }

  onChange(listener: () => void): Disposable {
    return this.#changed.add(listener);
  }

  status(): TerminalStatus {
    const { key, company, clock } = this.#options;
    return {
      source: this.#apart === null ? 'live' : 'polled',
      polledBecause: this.#apart ?? '',
      watchers: [...company.watchers(key)],
      writer: company.writer(key) ?? '',
      silentMs: clock.monotonicMs() - this.#provedMono,
      paneDead: this.#dead,
    };
  }

  /** Ends when the signal aborts or the screen has ended. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { key, panes, company, end } = this.#options;
    using stack = new DisposableStack();
    stack.use(company.onChange(() => this.#changed.emit()));
    stack.use(panes.onChange(() => this.#wake.poke()));
    while (!signal.aborted) {
      const pane = panes.pane(key);
      if (pane) await this.#stay(pane, signal);
      else {
        this.#setApart(CANNOT_BE_READ);
        await this.#wake.wait(PROOF_MS, signal);
      }
      this.#ended = end.judge(key);
      if (this.#ended !== null) {
        this.#changed.emit();
        return;
      }
    }
  }

  /** Feeds from one life of a pane, until the inventory knows of another or of none. */
  async #stay(pane: PaneRef, signal: AbortSignal): Promise<void> {
    const { key, panes, clock, frameMs, pollMs, outputs } = this.#options;
    const parser = new CaptureParser();
    const joined = new Joined(outputs, pane, this.#wake);
    using _left = joined;
    // Under lasting output tmux keeps holding it back, and is asked at the pace of frames until nothing changes any more.
    let isHeld = false;
    let look: Look = 'changed';
    while (!signal.aborted && isSamePane(pane, panes.pane(key))) {
      const startMono = clock.monotonicMs();
      isHeld = isHeld && look === 'changed';
      look = await this.#look(pane, parser, !isHeld, signal);
      const isRead = look !== 'failed';
      if (signal.aborted) return;
      joined.begin(() => this.#setApart(this.#output?.apart ?? null));
      this.#output = joined.output;
      this.#setApart(isRead ? joined.apart : (joined.apart ?? CANNOT_BE_READ));
      if (joined.apart !== null || !isRead) {
        // Through a client that is there already a look costs no process.
        const isCheap = isRead && this.#options.questions.followedSession(pane.socket) !== null;
        await sleep(isCheap ? Math.min(CHEAP_POLL_MS, pollMs) : pollMs, signal);
        continue;
      }
      if (!isHeld) await this.#wake.wait(PROOF_MS, signal);
      const pauseMs = startMono + frameMs - clock.monotonicMs();
      if (pauseMs <= 0 && !isHeld) continue;
      isHeld = true;
      joined.output?.hold(pane.paneId);
      await sleep(Math.max(pauseMs, 1), signal);
    }
    this.#output = null;
  }

  async #look(pane: PaneRef, parser: CaptureParser, resumes: boolean, signal: AbortSignal): Promise<Look> {
    const { questions, clock } = this.#options;
    const through = this.#output?.ask(pane.paneId, resumes) ?? null;
    try {
      const rows = await lookAtPane(through ?? questions.at(pane.socket), pane, SCREEN_ROWS, signal);
      const wasDead = this.#dead;
      this.#dead = rows.facts.dead;
      this.#provedMono = clock.monotonicMs();
      const isNew = this.log.take(pictureOf(rows, parser, clock.nowMs())) || wasDead !== this.#dead;
      if (isNew) this.#changed.emit();
      return isNew ? 'changed' : 'same';
    } catch (error) {
      const isLate = error instanceof FleetError && error.code === 'DEADLINE_EXCEEDED';
      if (isLate && through !== null && !signal.aborted) await this.#judgeClient(pane, signal);
      return 'failed';
    }
  }

  /** A client that is not answered while others are is stuck; one of a hung server waits with everybody. */
  async #judgeClient(pane: PaneRef, signal: AbortSignal): Promise<void> {
    const stuck = this.#output;
    try {
      await this.#options.questions.ask(pane.socket, [['display-message', '-p', 'answered']], signal);
      await stuck?.end('its control client was stuck');
    } catch {
      // The server answers nobody.
    }
  }

  #setApart(apart: string | null): void {
    if (this.#apart === apart) return;
    this.#apart = apart;
    this.#changed.emit();
  }
}

/** A watch of the session's output that begins when the first frame is out: the first look never waits for it. */
class Joined implements Disposable {
  readonly #outputs: PaneOutputs;
  readonly #pane: PaneRef;
  readonly #wake: Wake;
  readonly #held = new DisposableStack();
  #watch: OutputWatch | null = null;

  constructor(outputs: PaneOutputs, pane: PaneRef, wake: Wake) {
    this.#outputs = outputs;
    this.#pane = pane;
    this.#wake = wake;
  }

  get output(): SessionOutput | null {
    return this.#watch?.output ?? null;
  }

  get apart(): string | null {
    return this.#watch === null ? 'the view has just begun' : this.#watch.output.apart;
  }

  begin(onChange: () => void): void {
    if (this.#watch !== null) return;
    const { socket, sessionId, paneId } = this.#pane;
    this.#watch = this.#held.use(this.#outputs.watch(socket, sessionId));
    this.#held.use(this.#watch.output.onPrinted(paneId, () => this.#wake.poke()));
    this.#held.use(this.#watch.output.onChange(onChange));
  }

  [Symbol.dispose](): void {
    this.#held.dispose();
  }
}
