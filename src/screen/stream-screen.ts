/**
 * A watched screen as the messages of WatchTerminal: status, a keyframe, then what changes. Each reader has a cursor and
 * nothing else; one that lags is told what is there once it can be told again.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../runtime/clock.ts';
import type { MessageSink } from '../runtime/message-sink.ts';
import { sleep } from '../runtime/sleep.ts';
import { Wake } from '../runtime/wake.ts';
import type { TerminalEnd, TerminalStatus, WatchTerminalResponse } from '../wire/gen/fleet/v1/terminal.ts';
import type { ScreenLog } from './screen-log.ts';

/** One agent's screen, shared by all who watch it. */
export interface WatchedScreen {
  readonly log: ScreenLog;
  status(): TerminalStatus;
  /** Set once the session has really ended. */
  readonly ended: TerminalEnd | null;
  /** A new frame, another status, or the end. */
  onChange(listener: () => void): Disposable;
}

const STATUS_INTERVAL_MS = 2_000;
/** Faster than anybody sees. */
const LEAST_INTERVAL_MS = 5;

/** Resolves after the end was told, or when the signal aborts. */
export const streamScreen = async (
  screen: WatchedScreen,
  minIntervalMs: number,
  sink: MessageSink<WatchTerminalResponse>,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> => {
  const wake = new Wake();
  using _changes = screen.onChange(() => wake.poke());
  const send = async (message: WatchTerminalResponse): Promise<void> => {
    if (!sink.write(message)) await sink.drained(signal);
  };
  const pauseMs = Math.max(minIntervalMs, LEAST_INTERVAL_MS);
  let cursor = 0;
  let told: TerminalStatus | null = null;
  let toldMono = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    const status = screen.status();
    if (clock.monotonicMs() - toldMono >= STATUS_INTERVAL_MS || !isSameStatus(status, told)) {
      told = status;
      toldMono = clock.monotonicMs();
      await send({ status });
    }
    const news = screen.log.since(cursor);
    if (news) {
      cursor = news.cursor;
      await send({ frame: news.frame });
      await sleep(pauseMs, signal);
    }
    if (signal.aborted) return;
    if (screen.ended && screen.log.since(cursor) === null) {
      await send({ end: screen.ended });
      return;
    }
    await wake.wait(Math.max(0, toldMono + STATUS_INTERVAL_MS - clock.monotonicMs()), signal);
  }
};

/** Apart from the times in it, which run by themselves. */
const isSameStatus = (a: TerminalStatus, b: TerminalStatus | null): boolean =>
  b !== null && isDeepStrictEqual({ ...a, silentMs: 0, link: timeless(a) }, { ...b, silentMs: 0, link: timeless(b) });

const timeless = ({ link }: TerminalStatus) => link && { ...link, ageMs: 0 };
