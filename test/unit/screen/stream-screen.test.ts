import { expect, test } from 'vitest';
import { systemClock } from '../../../src/runtime/clock.ts';
import { Listeners } from '../../../src/runtime/listeners.ts';
import { ScreenLog } from '../../../src/screen/screen-log.ts';
import { streamScreen, type WatchedScreen } from '../../../src/screen/stream-screen.ts';
import type { TerminalEnd, WatchTerminalResponse } from '../../../src/wire/gen/fleet/v1/terminal.ts';
import { until } from '../../helpers/until.ts';

class Shown implements WatchedScreen {
  readonly log = new ScreenLog();
  readonly #changed = new Listeners();
  ended: TerminalEnd | null = null;
  watchers: string[] = [];

  status() {
    return { source: 'live', polledBecause: '', watchers: this.watchers, writer: '', silentMs: 0, paneDead: false };
  }

  onChange(listener: () => void) {
    return this.#changed.add(listener);
  }

  changed(): void {
    this.#changed.emit();
  }

  get listeners(): number {
    return this.#changed.size;
  }

  show(text: string, width = 20): void {
    const span = { text, columns: text.length, foreground: 0, background: 0, attributes: 0, underlineColor: 0 };
    this.log.take({
      width,
      height: 1,
      cursorX: 0,
      cursorY: 0,
      cursorVisible: true,
      alternateScreen: false,
      capturedMs: 0,
      title: '',
      historyLines: 0,
      rows: [[span]],
    });
    this.changed();
  }
}

class Reader {
  readonly heard: WatchTerminalResponse[] = [];
  readonly #stop = new AbortController();
  lags = false;
  #release: (() => void) | null = null;
  readonly done: Promise<void>;

  constructor(screen: Shown) {
    const write = (message: WatchTerminalResponse) => {
      this.heard.push(message);
      return !this.lags;
    };
    const drained = () =>
      new Promise<void>((resolve) => {
        this.#release = resolve;
      });
    this.done = streamScreen(screen, 0, { write, drained }, systemClock, this.#stop.signal);
  }

  get texts(): (string | undefined)[] {
    return this.heard.flatMap(({ frame }) => (frame ? [frame.rows[0]?.spans[0]?.text] : []));
  }

  drain(): void {
    this.lags = false;
    this.#release?.();
  }

  leave(): Promise<void> {
    this.#stop.abort();
    return this.done;
  }
}

test('status comes first, then a keyframe, then each change', async () => {
  const screen = new Shown();
  screen.show('one');
  const reader = new Reader(screen);
  await until(() => reader.texts.includes('one'), { timeoutMs: 5_000 });
  expect(reader.heard[0]?.status).toMatchObject({ source: 'live' });
  expect(reader.heard[1]?.frame?.keyframe).toBe(true);
  screen.show('two');
  await until(() => reader.texts.includes('two'), { timeoutMs: 5_000 });
  expect(reader.heard.at(-1)?.frame?.keyframe).toBe(false);
  await reader.leave();
  expect(screen.listeners).toBe(0);
});

test('a reader that lags misses what was drawn in between, and gets what is there', async () => {
  const screen = new Shown();
  const reader = new Reader(screen);
  await until(() => reader.heard.length > 0, { timeoutMs: 5_000 });
  reader.lags = true;
  screen.show('first');
  await until(() => reader.texts.length === 1, { timeoutMs: 5_000 });
  for (let i = 0; i < 1_000; i++) screen.show(`drawn over ${i}`);
  screen.show('the last');
  reader.drain();
  await until(() => reader.texts.includes('the last'), { timeoutMs: 5_000 });
  expect(reader.texts).toEqual(['first', 'the last']);
  await reader.leave();
});

test('after another size the next frame is a keyframe', async () => {
  const screen = new Shown();
  screen.show('wide');
  const reader = new Reader(screen);
  await until(() => reader.texts.includes('wide'), { timeoutMs: 5_000 });
  screen.show('narrow', 10);
  await until(() => reader.texts.includes('narrow'), { timeoutMs: 5_000 });
  expect(reader.heard.at(-1)?.frame).toMatchObject({ keyframe: true, width: 10 });
  await reader.leave();
});

test('who watches is told when it changes, not only with the next frame', async () => {
  const screen = new Shown();
  const reader = new Reader(screen);
  await until(() => reader.heard.length === 1, { timeoutMs: 5_000 });
  screen.watchers = ['jo'];
  screen.changed();
  await until(() => reader.heard.at(-1)?.status?.watchers[0] === 'jo', { timeoutMs: 1_500 });
  await reader.leave();
});

test('the end comes after the last frame, and is the last message', async () => {
  const screen = new Shown();
  screen.show('first');
  const reader = new Reader(screen);
  await until(() => reader.texts.length === 1, { timeoutMs: 5_000 });
  screen.show('last words');
  screen.ended = { reason: 'session_ended', detail: '' };
  screen.changed();
  await reader.done;
  expect(reader.texts).toEqual(['first', 'last words']);
  expect(reader.heard.at(-1)?.end?.reason).toBe('session_ended');
  expect(screen.listeners).toBe(0);
});
