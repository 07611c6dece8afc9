import { expect, test } from 'vitest';
import { CaptureParser, parseRow } from '../../../../host-agent/terminal/parse-capture.ts';
import { DEFAULT_PEN } from '../../../../host-agent/terminal/pen.ts';
import { NEWEST_RULES } from '../../../../src/screen/text-columns.ts';

const row = (raw: string, width = 80) => parseRow(Buffer.from(raw), DEFAULT_PEN, width);
const PLAIN = { foreground: 0, background: 0, attributes: 0, underlineColor: 0 };

const LOOKS: [string, string, object][] = [
  ['bold red', '\x1b[1;31m', { attributes: 1, foreground: 2 }],
  ['bright on palette', '\x1b[94m\x1b[48;5;200m', { foreground: 13, background: 201 }],
  ['RGB by semicolons', '\x1b[38;2;1;2;3m', { foreground: 0x1010203 }],
  ['RGB by colons, with an empty colour space', '\x1b[38:2::255:0:16m', { foreground: 0x1ff0010 }],
  ['RGB by colons, without', '\x1b[48:2:1:2:3m', { background: 0x1010203 }],
  ['black, which is not the default', '\x1b[38;2;0;0;0m', { foreground: 0x1000000 }],
  ['curly underline with a colour', '\x1b[4:3m\x1b[58;2;9;8;7m', { attributes: 512, underlineColor: 0x1090807 }],
  ['double, dotted, dashed: the last counts', '\x1b[4:2;4:4;4:5m', { attributes: 2048 }],
  ['overline as tmux prints it', '\x1b[5:3m', { attributes: 4096 }],
  ['all the others', '\x1b[2;3;5;7;8;9m', { attributes: 2 | 4 | 16 | 32 | 64 | 128 }],
  ['one taken away', '\x1b[1;4;7m\x1b[27m', { attributes: 1 | 8 }],
  ['reset', '\x1b[1;31;44m\x1b[0m', {}],
  ['a colour that is none', '\x1b[38;2;300;0;0m\x1b[38;9m', {}],
  ['nonsense', '\x1b[99;1234m', {}],
];

for (const [what, raw, look] of LOOKS) {
  test(`a look is read: ${what}`, () => {
    expect(row(`${raw}x`).spans).toEqual([{ ...PLAIN, ...look, text: 'x', columns: 1 }]);
  });
}

const HOSTILE: [string, string][] = [
  ['a title', '\x1b]0;owned\x07safe'],
  ['a link', '\x1b]8;id=1;http://x\x1b\\safe\x1b]8;;\x1b\\'],
  ['a device string', '\x1bP1$r0m\x1b\\safe'],
  ['a cursor move and a clear', '\x1b[2J\x1b[1;1Hsafe'],
  ['a private mode', '\x1b[?1049hsafe'],
  ['controls of both kinds', 's\x00\x07\x08a\u009bfe\x7f'],
  ['a string without end', 'safe\x1b]52;c;AAAA'],
  ['a lone escape', 'sa\x1bfe'.replace('\x1bf', '\x1b=f')],
];

for (const [what, raw] of HOSTILE) {
  test(`nothing but text comes out of ${what}`, () => {
    expect(
      row(raw)
        .spans.map(({ text }) => text)
        .join(''),
    ).toBe('safe');
  });
}

test('lines are drawn between SO and SI, on the rows that follow too', () => {
  const parser = new CaptureParser();
  const rows = parser.parse([Buffer.from('\x0elqk'), Buffer.from('x x\x0fx')], { width: 10, height: 3 }, NEWEST_RULES);
  expect(rows.map((spans) => spans.map(({ text }) => text).join(''))).toEqual(['┌─┐', '│ │x', '']);
});

test('a look goes on from row to row', () => {
  const parser = new CaptureParser();
  const lines = [Buffer.from('\x1b[31mred'), Buffer.from('still')];
  expect(parser.parse(lines, { width: 10, height: 2 }, NEWEST_RULES)[1]?.[0]?.foreground).toBe(2);
});

test('a row that was there before is the same object, wherever it stands now', () => {
  const parser = new CaptureParser();
  const size = { width: 10, height: 2 };
  const [, second] = parser.parse([Buffer.from('one'), Buffer.from('two')], size, NEWEST_RULES);
  const [first] = parser.parse([Buffer.from('two'), Buffer.from('three')], size, NEWEST_RULES);
  expect(first).toBe(second);
});

test('blanks that cannot be seen end a row, those that can stay', () => {
  expect(row('text   ').spans).toEqual([{ ...PLAIN, text: 'text', columns: 4 }]);
  expect(row('\x1b[44m   ').spans).toEqual([{ ...PLAIN, background: 5, text: '   ', columns: 3 }]);
  expect(row('\x1b[7m ').spans).toHaveLength(1);
  expect(row('   ').spans).toEqual([]);
});

test('no row is wider than the screen, and no wide character is cut', () => {
  expect(row('日本', 3).spans).toEqual([{ ...PLAIN, text: '日', columns: 2 }]);
  expect(row('abcdef', 3).spans[0]?.columns).toBe(3);
});

test('a tab is as wide as the way to its stop', () => {
  expect(row('ab\tc').spans).toEqual([{ ...PLAIN, text: 'ab      c', columns: 9 }]);
});
