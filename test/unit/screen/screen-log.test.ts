import { expect, test } from 'vitest';
import { ScreenLog, type ScreenPicture } from '../../../src/screen/screen-log.ts';
import type { Span } from '../../../src/wire/gen/fleet/v1/terminal.ts';

const row = (text: string): Span[] =>
  text === '' ? [] : [{ text, columns: text.length, foreground: 0, background: 0, attributes: 0, underlineColor: 0 }];

const picture = (rows: string[], more: Partial<ScreenPicture> = {}): ScreenPicture => ({
  width: 10,
  height: rows.length,
  cursorX: 0,
  cursorY: 0,
  cursorVisible: true,
  alternateScreen: false,
  capturedMs: 1,
  title: '',
  historyLines: 0,
  rows: rows.map(row),
  ...more,
});

const textOf = (log: ScreenLog) => log.picture?.rows.map((spans) => spans.map(({ text }) => text).join(''));

test('a first reader gets a keyframe, a later one only the rows that changed since', () => {
  const log = new ScreenLog();
  expect(log.since(0)).toBeNull();
  log.take(picture(['one', '', 'three']));
  const first = log.since(0)!;
  expect(first.frame).toMatchObject({ keyframe: true, rows: [{ y: 0 }, { y: 2 }] });
  log.take(picture(['one', 'two', 'three']));
  const second = log.since(first.cursor)!;
  expect(second.frame).toMatchObject({ keyframe: false, rows: [{ y: 1 }] });
  expect(log.since(second.cursor)).toBeNull();
});

test('the same picture at a later time is no news, but is known to be newer', () => {
  const log = new ScreenLog();
  log.take(picture(['one']));
  const { cursor } = log.since(0)!;
  expect(log.take(picture(['one'], { capturedMs: 2 }))).toBe(false);
  expect(log.since(cursor)).toBeNull();
  expect(log.picture?.capturedMs).toBe(2);
});

test('a moved cursor is a frame without rows', () => {
  const log = new ScreenLog();
  log.take(picture(['one']));
  const { cursor } = log.since(0)!;
  expect(log.take(picture(['one'], { cursorX: 3 }))).toBe(true);
  expect(log.since(cursor)?.frame).toMatchObject({ cursorX: 3, rows: [] });
});

test('another size is a keyframe to whoever held the old one', () => {
  const log = new ScreenLog();
  log.take(picture(['one', 'two']));
  const { cursor } = log.since(0)!;
  log.take(picture(['one']));
  expect(log.since(cursor)?.frame).toMatchObject({ keyframe: true, height: 1 });
});

test('a copy fed from any cursor shows what the log shows, whatever was missed in between', () => {
  const [log, copy] = [new ScreenLog(), new ScreenLog()];
  let cursor = 0;
  const screens = [['a', 'b'], ['a', ''], ['c', 'd'], ['c', 'd', 'e'], ['', '', 'e'], ['x']];
  for (const [index, rows] of screens.entries()) {
    log.take(picture(rows));
    if (index % 2 === 0) continue;
    const news = log.since(cursor)!;
    copy.apply(news.frame);
    cursor = news.cursor;
    expect(textOf(copy)).toEqual(rows);
  }
});

test('a change without the keyframe that it builds on is not shown', () => {
  const log = new ScreenLog();
  const copy = new ScreenLog();
  log.take(picture(['one', 'two']));
  const { cursor } = log.since(0)!;
  log.take(picture(['one', 'more']));
  expect(copy.apply(log.since(cursor)!.frame)).toBe(false);
  expect(copy.picture).toBeNull();
});

test('what no screen can be is refused, and the picture stays as it was', () => {
  const log = new ScreenLog();
  log.take(picture(['one', 'two']));
  const copy = new ScreenLog();
  const { frame } = log.since(0)!;
  copy.apply(frame);
  expect(() => copy.apply({ ...frame, height: 4_294_967_295 })).toThrow(/screen of 10x4294967295/);
  expect(() => copy.apply({ ...frame, width: 0 })).toThrow(/screen of 0x2/);
  expect(copy.apply({ ...frame, keyframe: false, height: 3 })).toBe(false);
  const cells = { ...row('x'.repeat(16_000))[0], columns: 1_000 } as Span;
  const rows = Array.from({ length: 1_000 }, (_, y) => ({ y, spans: [cells] }));
  expect(() => copy.apply({ ...frame, width: 1_000, height: 1_000, rows })).toThrow(/more was sent/);
  expect(textOf(copy)).toEqual(['one', 'two']);
});
