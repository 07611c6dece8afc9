/**
 * The screen of a taken-over agent on the operator's terminal, following its cursor, and a last line that says so. Its
 * keys are not looked at here: all bytes are the caller's.
 */
import { cleanText, cutEnd, textWidth } from '../../domain/clean-text.ts';
import { systemClock } from '../../runtime/clock.ts';
import { sleep } from '../../runtime/sleep.ts';
import { Wake } from '../../runtime/wake.ts';
import type { CommandContext } from '../command.ts';
import { FullScreen, LEAVE } from '../render/full-screen.ts';
import type { TerminalGuard } from '../render/terminal-guard.ts';
import { type Composed, composeSingle } from '../watch/compose.ts';
import { PLAIN_LOOK, withAttribute } from '../watch/look.ts';
import { Pan, type Size } from '../watch/pan.ts';
import { Repaint } from '../watch/repaint.ts';
import { RowPen } from '../watch/row-pen.ts';
import { statusLine } from '../watch/view-words.ts';
import type { WatchedAgent } from '../watch/watched-agent.ts';

/** Bracketed paste (xterm, DECSET 2004): a paste is told from typing. */
const MARK_PASTES = '\x1b[?2004h';
const LEAVE_PASTES = '\x1b[?2004l';
/** What gives the terminal back, whoever writes it. */
export const LEAVE_ATTACH = `${LEAVE_PASTES}${LEAVE}`;

export interface AttachViewOptions {
  context: Pick<CommandContext, 'stdin' | 'stdout' | 'env'>;
  agent: WatchedAgent;
  guard: TerminalGuard;
  onBytes: (bytes: Buffer) => void;
  /** The terminal is gone. */
  onGone: () => void;
  /** What stands first in the last line: what is typed where, and how to leave. */
  headline: () => string;
}

/** Ages go on. */
const TICK_MS = 1_000;
/** An echo is shown at once; a burst at most so often. */
const FRAME_MS = 8;
const BAR = withAttribute(withAttribute(PLAIN_LOOK, 'reverse'), 'bold');

export class AttachView implements Disposable {
  readonly #options: AttachViewOptions;
  readonly #screen: FullScreen;
  readonly #paint: Repaint;
  readonly #pan = new Pan();
  readonly #wake = new Wake();
  readonly #atExit = (): void => this[Symbol.dispose]();
  #isOpen = false;

  constructor(options: AttachViewOptions) {
    const { context, guard, onBytes, onGone } = options;
    this.#options = options;
    const onBlank = () => {
      this.#paint.forget();
      this.#wake.poke();
    };
    const events = { onKeys: () => undefined, onBytes, onBlank, onGone };
    this.#screen = new FullScreen(context.stdout, context.stdin, events, guard);
    this.#paint = new Repaint(this.#screen, () => this.#wake.poke());
  }

  /** Size of the part of the terminal that shows the screen. */
  static roomOf({ stdout }: Pick<CommandContext, 'stdout'>): Size {
    return { width: stdout.columns || 80, height: Math.max(1, (stdout.rows || 24) - 1) };
  }

  redraw(): void {
    this.#wake.poke();
  }

  /** Takes the terminal and shows until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    using _changes = this.#options.agent.onChange(() => this.#wake.poke());
    this.#isOpen = true;
    process.on('exit', this.#atExit);
    this.#screen.open();
    this.#options.context.stdout.write(MARK_PASTES);
    while (!signal.aborted) {
      this.#paint.draw(() => this.#compose());
      await sleep(FRAME_MS, signal);
      await this.#wake.wait(TICK_MS, signal);
    }
  }

  /** Gives the terminal back. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off('exit', this.#atExit);
    this.#options.context.stdout.write(LEAVE_PASTES);
    this.#screen[Symbol.dispose]();
  }

  #compose(): Composed {
    const { context, agent, headline } = this.#options;
    const { stdout, env } = context;
    const terminal: Size = { width: stdout.columns || 80, height: stdout.rows || 24 };
    const options = {
      terminal,
      colour: !env.NO_COLOR && env.TERM !== 'dumb',
      nowMono: systemClock.monotonicMs(),
    };
    const composed = composeSingle({ agent, pan: this.#pan }, '', options);
    if (terminal.height < 2) return composed;
    const window = AttachView.roomOf(context);
    const offset = agent.picture ? this.#pan.offsetIn(agent.picture, window) : { x: 0, y: 0 };
    const line = statusLine(agent, { ...options, window, offset, follows: true, keys: '' }).replace(/ · $/, '');
    const text = cutEnd(cleanText(`${headline()} · ${line}`), terminal.width);
    const pen = new RowPen(terminal.height - 1, { colour: options.colour, faded: false });
    const columns = textWidth(text);
    pen.put({ text, columns, isPlain: false }, BAR);
    const blank = terminal.width - columns;
    if (blank > 0) pen.put({ text: ' '.repeat(blank), columns: blank, isPlain: true }, BAR);
    return { ...composed, rows: [...composed.rows.slice(0, -1), pen.finish()] };
  }
}
