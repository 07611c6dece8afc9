/**
 * TailTerminal of this host's own agents: the last lines of a pane's text, and on request each further line once it is
 * complete. Never: a line told twice, or one that was lost in a burst passed over in silence.
 */
import { FleetError } from '../../src/domain/errors.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import { Wake } from '../../src/runtime/wake.ts';
import type { TailTerminalResponse } from '../../src/wire/gen/fleet/v1/terminal.ts';
import type { OwnCalls } from '../calls/own-calls.ts';
import type { Questions } from '../tmux/questions.ts';
import type { AgentPanes, PaneRef, RunRecords } from './ports.ts';
import { runTail } from './run-tail.ts';
import type { ScreenFeeds } from './screen-feeds.ts';
import { TailCursor } from './tail-cursor.ts';
import { readTail } from './tail-read.ts';
import { watchedRow } from './watch-call.ts';

export interface TailCallOptions {
  panes: AgentPanes;
  feeds: ScreenFeeds;
  questions: Questions;
  records: RunRecords;
}

const DEFAULT_LINES = 100;
const MAX_LINES = 10_000;
/** Of one message. */
const MAX_CHARACTERS = 128 * 1024;
/** Nothing is asked when nothing changed; this only bounds a missed word. */
const IDLE_MS = 1_000;
/** Between a change and the look at it: what is drawn over at once is not told. */
const SETTLE_MS = 200;

export const tailTerminal =
  ({ panes, feeds, questions, records }: TailCallOptions): OwnCalls['tailTerminal'] =>
  async ({ key, lines, follow, lastRun }, sink, { signal }) => {
    const wanted = Math.min(lines || DEFAULT_LINES, MAX_LINES);
    if (lastRun > 0 && follow) throw new FleetError('INVALID_ARGUMENT', 'a run that is over cannot be followed');
    if (lastRun === 0) watchedRow(panes, key);
    const send = async (message: TailTerminalResponse): Promise<void> => {
      if (!signal.aborted && !sink.write(message)) await sink.drained(signal);
    };
    const tell = async (text: readonly string[], fullScreen: boolean, missed: number): Promise<void> => {
      for (const [index, part] of parts(text).entries())
        await send({ lines: part, fullScreen, missed: index === 0 ? missed : 0 });
    };
    if (lastRun > 0) {
      const tail = await runTail(panes, records, { key, back: lastRun, count: wanted });
      for (const [index, part] of parts(tail.lines).entries())
        await send({ lines: part, fullScreen: false, missed: 0, ...(index === 0 ? { run: tail.run } : {}) });
      return;
    }
    let pane = ownPane(panes, key);
    let read = await readTail(questions.at(pane.socket), pane, wanted, signal);
    let cursor = new TailCursor();
    const first = cursor.first(read, wanted, !follow);
    await tell(first, read.facts.alternateScreen, 0);
    if (!follow) return;

    const wake = new Wake();
    using watch = feeds.watch(key);
    using _changes = watch.feed.onChange(() => wake.poke());
    let seen = 0;
    while (!signal.aborted) {
      if (watch.feed.ended !== null) {
        await tell(cursor.rest(), false, 0);
        await send({ lines: [], fullScreen: false, missed: 0, end: watch.feed.ended });
        return;
      }
      await wake.wait(IDLE_MS, signal);
      const now = panes.pane(key);
      const news = watch.feed.log.since(seen);
      if (now === undefined || news === null || signal.aborted) continue;
      seen = news.cursor;
      await sleep(SETTLE_MS, signal);
      if (now.panePid !== pane.panePid || now.paneId !== pane.paneId || now.socket !== pane.socket) {
        pane = now;
        cursor = new TailCursor();
      }
      const depth = cursor.depth(watch.feed.log.picture?.historyLines ?? 0, read.facts.historyLimit);
      try {
        read = await readTail(questions.at(pane.socket), pane, depth, signal);
      } catch (error) {
        if (signal.aborted) return;
        // Gone, or not to be asked now: the inventory says which, and what has changed is still untold.
        if (error instanceof FleetError) {
          seen = 0;
          continue;
        }
        throw error;
      }
      const { text, missed } = cursor.next(read);
      if (text.length > 0 || missed > 0) await tell(text, read.facts.alternateScreen, missed);
    }
  };

/** Throws FAILED_PRECONDITION: a row may name a pane of which nothing runs any more. */
const ownPane = (panes: AgentPanes, key: string): PaneRef => {
  const pane = panes.pane(key);
  if (pane !== undefined) return pane;
  const words = `${panes.row(key)?.agent ?? 'it'} has a pane, but no program in it: fleet ps`;
  throw new FleetError('FAILED_PRECONDITION', words);
};

/** At least one, so that a tail of nothing is still an answer. */
const parts = (text: readonly string[]): string[][] => {
  const all: string[][] = [[]];
  let characters = 0;
  for (const line of text) {
    if (characters + line.length > MAX_CHARACTERS && (all.at(-1) as string[]).length > 0) {
      all.push([]);
      characters = 0;
    }
    (all.at(-1) as string[]).push(line);
    characters += line.length + 1;
  }
  return all;
};
