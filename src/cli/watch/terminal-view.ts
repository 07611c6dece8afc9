/**
 * Watched agents on a terminal: one, or a grid from which one can be taken out. Only rows that changed are drawn again.
 * Keys move the window; nothing that is typed here reaches an agent.
 */

import { systemClock } from '../../runtime/clock.ts';
import { sleep } from '../../runtime/sleep.ts';
import { Wake } from '../../runtime/wake.ts';
import type { CommandContext } from '../command.ts';
import { FullScreen } from '../render/full-screen.ts';
import type { TerminalGuard } from '../render/terminal-guard.ts';
import { type Composed, composeGrid, composeSingle, type View } from './compose.ts';
import { Pan, type Size } from './pan.ts';
import { PAN_KEYS } from './pan-keys.ts';
import { Repaint } from './repaint.ts';
import { splitKeys } from './split-keys.ts';
import { layTiles } from './tile-grid.ts';
import type { WatchedAgent } from './watched-agent.ts';

/** Ages go on. */
const TICK_MS = 1_000;

export class TerminalView implements Disposable {
  readonly #context: CommandContext;
  readonly #views: readonly View[];
  readonly #screen: FullScreen;
  readonly #wake = new Wake();
  readonly #left = new AbortController();
  readonly #frameMs: number;
  readonly #paint: Repaint;
  #selected = 0;
  #isSingle: boolean;

  constructor(context: CommandContext, agents: readonly WatchedAgent[], fps: number, guard: TerminalGuard) {
    this.#context = context;
    this.#views = agents.map((agent) => ({ agent, pan: new Pan() }));
    this.#isSingle = agents.length === 1;
    this.#frameMs = 1_000 / fps;
    this.#screen = new FullScreen(
      context.stdout,
      context.stdin,
      {
        onKeys: (keys) => this.#onKeys(keys),
        onBlank: () => {
          this.#paint.forget();
          this.#wake.poke();
        },
        onGone: () => this.#left.abort(),
      },
      guard,
    );
    this.#paint = new Repaint(this.#screen, () => this.#wake.poke());
  }

  /** Aborts when the person leaves. */
  get left(): AbortSignal {
    return this.#left.signal;
  }

  /** Resolves when the person leaves or the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const until = AbortSignal.any([signal, this.left]);
    const listening = this.#views.map(({ agent }) => agent.onChange(() => this.#wake.poke()));
    this.#screen.open();
    try {
      while (!until.aborted) {
        this.#paint.draw(() => this.#compose());
        await sleep(this.#frameMs, until);
        await this.#wake.wait(TICK_MS, until);
      }
    } finally {
      for (const listener of listening) listener[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    this.#screen[Symbol.dispose]();
  }

  #compose(): Composed {
    const { stdout, env } = this.#context;
    const terminal: Size = { width: stdout.columns || 80, height: stdout.rows || 24 };
    const options = { terminal, colour: !env.NO_COLOR && env.TERM !== 'dumb', nowMono: systemClock.monotonicMs() };
    const view = this.#views[this.#selected] as View;
    if (this.#isSingle) {
      const back = this.#views.length > 1 ? 'Enter grid · ' : '';
      return composeSingle(view, `${back}arrows pan · q leaves`, options);
    }
    const page = layTiles(this.#views.length, this.#selected, {
      ...terminal,
      height: Math.max(1, terminal.height - 1),
    });
    const where = page.pages > 1 ? ` · page ${page.number} of ${page.pages}` : '';
    const footer = `${this.#views.length} agents${where} · Tab next · Enter zooms · q leaves`;
    return composeGrid(this.#views, page.tiles, this.#selected, footer, options);
  }

  #onKeys(typed: string): void {
    for (const key of splitKeys(typed)) this.#onKey(key);
    this.#wake.poke();
  }

  #onKey(key: string): void {
    if (key === 'q' || key === 'Q' || key === '\x03') this.#left.abort();
    else if (key === '\r' || key === '\n') {
      if (this.#views.length > 1) this.#isSingle = !this.#isSingle;
      this.#paint.forget();
    } else if (key === '\t') this.#select(1);
    else if (key === '\x1b[Z') this.#select(-1);
    else if (key === '\x0c') this.#paint.forget();
    else if (this.#isSingle) this.#pan(key);
    else this.#step(key);
  }

  #pan(key: string): void {
    const page = Math.max(1, (this.#context.stdout.rows || 24) - 2);
    PAN_KEYS[key]?.((this.#views[this.#selected] as View).pan, page);
  }

  /** To the tile in that direction. */
  #step(key: string): void {
    const area = { width: this.#context.stdout.columns || 80, height: (this.#context.stdout.rows || 24) - 1 };
    const { columns } = layTiles(this.#views.length, this.#selected, area);
    if (key === 'left' || key === 'h') this.#select(-1);
    else if (key === 'right' || key === 'l') this.#select(1);
    else if (key === 'up' || key === 'k') this.#selectAt(this.#selected - columns);
    else if (key === 'down' || key === 'j') this.#selectAt(this.#selected + columns);
  }

  #select(step: number): void {
    const count = this.#views.length;
    this.#selected = (this.#selected + step + count) % count;
  }

  #selectAt(index: number): void {
    if (index >= 0 && index < this.#views.length) this.#selected = index;
  }
}
