/**
 * Watched screens as one JSON object a line: `frame`, `status`, `end`. A reader that lags is told what is there once it
 * can be told again; nothing is queued for it.
 */
import { systemClock } from '../../runtime/clock.ts';
import { sleep } from '../../runtime/sleep.ts';
import { Wake } from '../../runtime/wake.ts';
import type { ScreenPicture } from '../../screen/screen-log.ts';
import type { CommandContext } from '../command.ts';
import { linesOf, writeAll } from '../output.ts';
import { jsonText } from '../render/json.ts';
import { endObject, SCREEN_SCHEMA, screenObject, statusObject } from './screen-json.ts';
import type { WatchedAgent } from './watched-agent.ts';

const TICK_MS = 1_000;
/** Ages run by themselves: they are told again after this long. */
const STATUS_INTERVAL_MS = 5_000;

interface Told {
  picture: ScreenPicture | null;
  status: string;
  statusMono: number;
  hasEnded: boolean;
}

/** Resolves when the signal aborts, after what was there then was told; rejects with the error of stdout. */
export const feedFrames = async (
  { stdout, signal: left }: CommandContext,
  agents: readonly WatchedAgent[],
  frameMs: number,
  over: AbortSignal,
): Promise<void> => {
  const wake = new Wake();
  const listening = agents.map((agent) => agent.onChange(() => wake.poke()));
  const told = new Map<WatchedAgent, Told>();
  try {
    for (;;) {
      const isLast = over.aborted;
      const lines = agents.flatMap((agent) => [...news(agent, told)]);
      await writeAll(stdout, linesOf(lines), left).catch((error: unknown) => {
        if (!left.aborted) throw error;
      });
      if (isLast || left.aborted) return;
      await sleep(frameMs, over);
      await wake.wait(TICK_MS, over);
    }
  } finally {
    for (const listener of listening) listener[Symbol.dispose]();
  }
};

function* news(agent: WatchedAgent, all: Map<WatchedAgent, Told>): Generator<string> {
  const nowMono = systemClock.monotonicMs();
  const { address, picture, end } = agent;
  const told = all.get(agent) ?? {
    picture: null,
    status: '',
    statusMono: Number.NEGATIVE_INFINITY,
    hasEnded: false,
  };
  all.set(agent, told);
  const status = statusObject(agent, nowMono);
  const lasting = jsonText({ ...status, silent_seconds: 0, link: timeless(status.link) });
  if (lasting !== told.status || nowMono - told.statusMono >= STATUS_INTERVAL_MS) {
    told.status = lasting;
    told.statusMono = nowMono;
    yield jsonText({ schema: SCREEN_SCHEMA, event: 'status', address, ...status });
  }
  if (picture && !isSamePicture(picture, told.picture)) {
    told.picture = picture;
    yield jsonText({ schema: SCREEN_SCHEMA, event: 'frame', address, ...screenObject(picture) });
  }
  if (end && !told.hasEnded) {
    told.hasEnded = true;
    yield jsonText({ schema: SCREEN_SCHEMA, event: 'end', address, ...endObject(end) });
  }
}

const timeless = (link: unknown): unknown => link && { ...(link as object), age_seconds: 0 };

/** Rows are shared between pictures as long as nothing changed; the time alone is no news. */
const isSamePicture = (a: ScreenPicture, b: ScreenPicture | null): boolean =>
  b !== null &&
  a.rows === b.rows &&
  a.cursorX === b.cursorX &&
  a.cursorY === b.cursorY &&
  a.cursorVisible === b.cursorVisible &&
  a.alternateScreen === b.alternateScreen &&
  a.title === b.title;
