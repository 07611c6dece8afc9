/** A watched screen for programs: rows as clean text, what is said of them in snake_case, null where unknown. */
import type { ScreenPicture } from '../../screen/screen-log.ts';
import type { Span, TerminalEnd } from '../../wire/gen/fleet/v1/terminal.ts';
import { rowText } from './crop-row.ts';
import { attributeNames, colourName } from './look.ts';
import { safePieces } from './safe-cells.ts';
import type { WatchedAgent } from './watched-agent.ts';

/** Of one screen, and of each line of a feed of them. */
export const SCREEN_SCHEMA = 'fleet.screen/v1';
export const LINES_SCHEMA = 'fleet.lines/v1';

/** Whole, so that each object stands by itself. */
export const screenObject = (picture: ScreenPicture): Record<string, unknown> => ({
  width: picture.width,
  height: picture.height,
  cursor: { x: picture.cursorX, y: picture.cursorY, visible: picture.cursorVisible },
  alternate_screen: picture.alternateScreen,
  captured_at: isoTime(picture.capturedMs),
  title: picture.title,
  history_lines: picture.historyLines,
  rows: picture.rows.map(rowText),
});

/** Left to right for each row; what lies right of the last is blank. */
export const spansOf = (picture: ScreenPicture): unknown[][] => picture.rows.map((row) => row.map(spanObject));

const spanObject = (span: Span): Record<string, unknown> => ({
  text: safePieces(span)
    .map(({ text }) => text)
    .join(''),
  columns: span.columns,
  foreground: colourName(span.foreground),
  background: colourName(span.background),
  underline_color: colourName(span.underlineColor),
  attributes: attributeNames(span),
});

export const statusObject = (agent: WatchedAgent, nowMono: number): Record<string, unknown> => {
  const { status, connection } = agent;
  return {
    connection: connection.state,
    broken_because: connection.state === 'broken' ? connection.reason : null,
    source: status?.source || null,
    polled_because: status?.polledBecause || null,
    watchers: status?.watchers ?? [],
    writer: status?.writer || null,
    link: status?.link
      ? {
          state: status.link.state,
          reason: status.link.reason ?? null,
          age_seconds: Math.floor(agent.linkAgeMs(nowMono) / 1_000),
        }
      : null,
    silent_seconds: Math.floor(agent.silentMs(nowMono) / 1_000),
    pane_dead: status?.paneDead ?? null,
  };
};

export const endObject = ({ reason, detail, lastExit }: TerminalEnd): Record<string, unknown> => ({
  reason,
  detail: detail || null,
  last_exit: lastExit ? { status: lastExit.status ?? null, signal: lastExit.signal ?? null } : null,
});

/** Times that no clock shows are unknown. */
const isoTime = (ms: number): string | null =>
  Number.isFinite(ms) && ms > 0 && ms < 8.64e15 ? new Date(ms).toISOString() : null;
