/** A screen that a test draws, watched through the shipped stream; it counts the calls that were made to it. */
import type { CallContext, OwnCalls } from '../../host-agent/calls/own-calls.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import { ScreenLog } from '../../src/screen/screen-log.ts';
import { streamScreen, type WatchedScreen } from '../../src/screen/stream-screen.ts';
import type { ScreenFrame, Span, TerminalEnd, TerminalStatus } from '../../src/wire/gen/fleet/v1/terminal.ts';

const span = (text: string): Span => ({
  text,
  columns: text.length,
  foreground: 0,
  background: 0,
  attributes: 0,
  underlineColor: 0,
});

export class SimulatedScreen implements WatchedScreen {
  readonly log = new ScreenLog();
  ended: TerminalEnd | null = null;
  /** Calls of WatchTerminal since the begin, and those that stand. */
  asked = 0;
  readonly standing = new Set<CallContext>();
  readonly #changed = new Listeners();

  draw(...lines: string[]): void {
    this.log.take({
      width: Math.max(80, ...lines.map(({ length }) => length)),
      height: lines.length,
      cursorX: 0,
      cursorY: 0,
      cursorVisible: true,
      alternateScreen: false,
      capturedMs: Date.now(),
      title: '',
      historyLines: 0,
      rows: lines.map((line) => (line === '' ? [] : [span(line)])),
    });
    this.#changed.emit();
  }

  end(reason: string): void {
    this.ended = { reason, detail: '', lastExit: undefined };
    this.#changed.emit();
  }

  status(): TerminalStatus {
    const watchers = [...this.standing].flatMap(({ audience }) => [...audience.watchers]);
    const link = { state: 'connected', ageMs: 0 };
    return { source: 'live', polledBecause: '', watchers, writer: '', link, silentMs: 0, paneDead: false };
  }

  onChange(listener: () => void): Disposable {
    return this.#changed.add(listener);
  }

  readonly watch: OwnCalls['watchTerminal'] = async ({ minIntervalMs }, sink, context) => {
    this.asked++;
    this.standing.add(context);
    using _told = context.audience.onChange(() => this.#changed.emit());
    try {
      await streamScreen(this, minIntervalMs, sink, systemClock, context.signal);
    } finally {
      this.standing.delete(context);
    }
  };
}

/** Lines of the screen that frames build up. */
export class SeenScreen {
  readonly log = new ScreenLog();
  readonly keyframes: number[] = [];
  frames = 0;

  take(frame: ScreenFrame): void {
    if (frame.keyframe) this.keyframes.push(this.frames);
    this.frames++;
    this.log.apply(frame);
  }

  get lines(): string[] {
    return (this.log.picture?.rows ?? []).map((row) => row.map(({ text }) => text).join(''));
  }
}
