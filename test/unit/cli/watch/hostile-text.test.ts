import { describe, expect, test } from 'vitest';
import { type ComposeOptions, composeGrid, composeSingle } from '../../../../src/cli/watch/compose.ts';
import { rowText } from '../../../../src/cli/watch/crop-row.ts';
import { Pan } from '../../../../src/cli/watch/pan.ts';
import { screenObject, spansOf } from '../../../../src/cli/watch/screen-json.ts';
import { SharedLine } from '../../../../src/cli/watch/shared-line.ts';
import { WatchedAgent } from '../../../../src/cli/watch/watched-agent.ts';
import { systemClock } from '../../../../src/runtime/clock.ts';
import { saneFrame } from '../../../../src/screen/sane-frame.ts';
import { ScreenLog, type ScreenPicture } from '../../../../src/screen/screen-log.ts';
import type { ScreenFrame, Span } from '../../../../src/wire/gen/fleet/v1/terminal.ts';
import { HOSTILE_TEXT } from '../../../helpers/hostile-text.ts';

/** All that may ever be written: our own looks, places and the clearing of a row. */
const ALLOWED = new RegExp(
  [
    '\\x1b\\[\\d+;\\d+H',
    '\\x1b\\[K',
    '\\x1b\\[0(?:;(?:[1-57-9]|53|[34][0-7]|9[0-7]|10[0-7]|[34]8;5;\\d{1,3}|[34]8;2;\\d{1,3};\\d{1,3};\\d{1,3}))*m',
    '\\x1b\\[4m\\x1b\\[4:[2-5]m',
    '\\x1b\\[58:5:\\d{1,3}m',
    '\\x1b\\[58:2::\\d{1,3}:\\d{1,3}:\\d{1,3}m',
  ].join('|'),
  'g',
);
/** Joiners and selectors stand only inside pictures. */
const PICTURES =
  /\p{Extended_Pictographic}[\ufe0e\ufe0f]?\p{EMod}?(?:\u200d\p{Extended_Pictographic}[\ufe0e\ufe0f]?\p{EMod}?)*|[0-9#*]\ufe0f?\u20e3/gu;
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u{f0000}-\u{10ffff}\p{Cn}\p{Default_Ignorable_Code_Point}]|\p{M}{4}/u;

const textIn = (written: string): string => written.replace(ALLOWED, '').replace(PICTURES, '');

const colours = [0, 1, 8, 9, 16, 17, 256, 257, 0xffffff, 0x1000000, 0x1ffffff, 0x2000000, 0xffffffff];
const spanOf = (text: string, n: number): Span => ({
  text,
  columns: [1, 2, text.length, 40, 0, 4_000_000_000][n % 6] as number,
  foreground: colours[n % colours.length] as number,
  background: colours[(n + 3) % colours.length] as number,
  attributes: n % 5 === 0 ? 0xffffffff : 1 << (n % 14),
  underlineColor: colours[(n + 5) % colours.length] as number,
});

const frameOf = (texts: readonly string[]): ScreenFrame => ({
  keyframe: true,
  width: 60,
  height: texts.length,
  cursorX: 4_000_000_000,
  cursorY: 3,
  cursorVisible: true,
  alternateScreen: false,
  rows: texts.map((text, n) => ({ y: n, spans: [spanOf(text, n), spanOf(text, n + 1), spanOf('after', n + 3)] })),
  capturedMs: Number.NaN,
  title: texts.join(''),
  historyLines: 0,
});

const pictureOf = (frame: ScreenFrame): ScreenPicture => {
  const log = new ScreenLog();
  log.apply(frame);
  return log.picture as ScreenPicture;
};

class Shown extends WatchedAgent {
  readonly shown: ScreenPicture;

  constructor(shown: ScreenPicture, text: string) {
    const line = new SharedLine({ at: { path: '/nowhere' }, what: '', mend: '' });
    const place = { hostAgent: 'h/u', key: 'k' };
    super({ address: `home/h/u/${text}`, place, line, minIntervalMs: 0, find: async () => null, clock: systemClock });
    this.shown = shown;
    this.connection = { state: 'live' };
    const link = { state: text, reason: text, ageMs: 0 };
    this.status = {
      source: text,
      polledBecause: text,
      watchers: [text],
      writer: text,
      link,
      silentMs: 0,
      paneDead: true,
    };
  }

  override get picture(): ScreenPicture {
    return this.shown;
  }
}

const OPTIONS: ComposeOptions = {
  terminal: { width: 47, height: 60 },
  colour: true,
  nowMono: systemClock.monotonicMs(),
};

describe.each(Object.entries(HOSTILE_TEXT))('%s', (_, text) => {
  const frame = frameOf(Array.from({ length: 18 }, (_, n) => `${'x'.repeat(n)}${text}${n % 2 ? ' b' : ''}`));

  test('is painted with sequences of our own only', () => {
    const agent = new Shown(pictureOf(frame), text);
    const view = { agent, pan: new Pan() };
    const tiles = [0, 1].map((n) => ({ view: n, row: 0, column: n * 24, width: 23, height: 30 }));
    for (const composed of [
      composeSingle(view, 'q leaves', OPTIONS),
      composeSingle(view, 'q leaves', { ...OPTIONS, colour: false }),
      composeGrid([view, { agent, pan: new Pan() }], tiles, 1, text, OPTIONS),
    ]) {
      expect(composed.rows).toHaveLength(60);
      for (const row of composed.rows) expect(textIn(row)).not.toMatch(UNSAFE);
    }
  });

  test('is text without anything that hides', () => {
    const picture = pictureOf(frame);
    for (const row of picture.rows) expect(textIn(rowText(row))).not.toMatch(UNSAFE);
    const written = JSON.stringify({ rows: screenObject(picture).rows, spans: spansOf(picture) });
    expect(textIn(written)).not.toMatch(UNSAFE);
  });

  test('takes the columns that it was given, and never more than the screen has', () => {
    for (const row of spansOf(pictureOf(frame)) as { columns: number }[][]) {
      expect(row.reduce((sum, { columns }) => sum + columns, 0)).toBeLessThanOrEqual(60);
    }
  });
});

test.each([
  [0, 10],
  [10, 0],
  [1_001, 10],
  [10, 4_000_000_000],
])('a screen of %i x %i is refused', (width, height) => {
  expect(() => saneFrame({ ...frameOf(['a']), width, height })).toThrow(/at most 1000x1000 is shown/);
});

test('rows below the screen and cursors beside it are none', () => {
  const frame = saneFrame({ ...frameOf(['a', 'b']), height: 1 });
  expect(frame.rows.map(({ y }) => y)).toEqual([0]);
  expect(frame).toMatchObject({ cursorX: 59, cursorY: 0 });
});
