import { describe, expect, test } from 'vitest';
import { entrySpans, type Path, type RosterDocument, readDocument } from '../../../src/roster/document.ts';
import { agentLines } from '../../../src/roster/edit/entry-lines.ts';
import { readPlain } from '../../../src/roster/plain-reader.ts';
import { parseYaml, type RosterText } from '../../../src/roster/roster-text.ts';
import { type Chance, chance } from './chance.ts';

const ROUNDS = 3_000;
const KEYS = ['name', 'modelHint', 'model_hint', 'env', 'True', 'null', '__proto__', 'a b', '"q"', '?', '<<', '- x'];
const VALUES =
  `pi|~/src/x-1|a b  |7|007|0|-7|1.5|1e3|0x1F|0o7|+1|.5|.inf|.Inf|-.INF|.nan|.NaN|1_000|2026-01-01|12:30|1.2.3|true|True|off|no|null|NULL|~|a: b|a:b|a:|a #c|a#c|#c|"a # b"|"a"  # c|"a\\n"|"a"b|"a|'a'|'it''s'|'a\\b'|{}|{ }|[]|[ ] # c|{A: 1}|{ A: 1, B: x/y }  # c|{A: 1,}|{A: 1, A: 2}|{A: a:}|{A: {B: c}}|{A}|{A: @x}|{A: 1 # c}|{A: true}|{null: 1}|[a]|a, b|a]b|a{b}|%a|@a|\`a|&a x|*a|!a x||x|>x|- a|-a|? a|:a|=|=a|<a|^a|(a)|$A|;|\\|a\\|ä|a\u00a0b|a\u2028b|a\tb|a\\t`.split(
    '|',
  );

const pick = <T>(list: readonly T[], next: Chance): T => list[Math.floor(next() * list.length)]!;
const some = (next: Chance, share: number, text: string): string => (next() < share ? text : '');
const NOISE = [
  '# c\n',
  '    # c\n',
  '\n',
  '   \n',
  '      # deep\n',
  '      more\n',
  '   odd: x\n',
  '---\n',
  '- x\n',
  '      k: v\n',
];

/** Mostly written the plain way. */
const randomText = (next: Chance): string => {
  const odd = (): string => some(next, 0.06, pick(NOISE, next));
  const value = (): string => (next() < 0.25 ? pick(VALUES, next) : pick(['pi', '~/src/a', '8000', '{ A: 1 }'], next));
  const dash = pick(['  - ', '- ', '  -   ', '-  '], next);
  const indent = ' '.repeat(dash.length);
  const entry = (index: number): string => {
    const extra = next() < 0.2 ? `${indent}${pick(KEYS, next)}: ${value()}\n` : '';
    const nested = next() < 0.3 ? `${indent}env:${some(next, 0.2, ' # c')}\n${odd()}${indent}  PORT: ${value()}\n` : '';
    return `${odd()}${dash}name: ${next() < 0.9 ? `a${index}` : value()}\n${odd()}${indent}runtime:   ${value()}\n${extra}${nested}`;
  };
  const entries = Array.from({ length: Math.floor(next() * 4) }, (_, index) => entry(index)).join('');
  const tmux = next() < 0.3 ? `tmux:\n  socket_name: ${value()}\n` : some(next, 0.2, `tmux: ${value()}\n`);
  return `${odd()}version: ${next() < 0.9 ? 2 : value()}\n${tmux}${odd()}agents:${entries === '' ? some(next, 0.8, ' []') : ''}\n${entries}${odd()}`;
};

const pathsOf = (value: unknown, path: Path = []): Path[] =>
  typeof value !== 'object' || value === null
    ? [path]
    : [
        path,
        ...Object.entries(value).flatMap(([key, inner]) =>
          pathsOf(inner, [...path, Array.isArray(value) ? Number(key) : key]),
        ),
      ];

const placesOf = ({ value, offsetOf }: RosterDocument) =>
  pathsOf(value).map((path) => [path, offsetOf(path, 'key'), offsetOf(path, 'value')]);

const linesOf = (text: string, spans: RosterText['spans']) => agentLines({ text, spans } as RosterText);

describe.each([1, 2, 3])('a text that is read the plain way (seed %i)', (seed) => {
  test('says what the YAML library reads, and each value and entry stands where it says', { timeout: 60_000 }, () => {
    const next = chance(seed);
    let plain = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const text = randomText(next);
      const read = readPlain(text);
      if (read === null) continue;
      plain += 1;
      const words = JSON.stringify(text);
      const document = parseYaml(text);
      const whole = readDocument(() => document);
      expect(whole.faults, words).toEqual([]);
      expect(JSON.stringify(read.value), words).toBe(JSON.stringify(whole.value));
      expect(placesOf(read), words).toEqual(placesOf(whole));
      // Null where the library counts a comment at the end of an entry to the line behind it.
      const lines = linesOf(text, entrySpans(document));
      if (lines !== null) expect(linesOf(text, read.spans), words).toEqual(lines);
    }
    expect(plain).toBeGreaterThan(ROUNDS / 4);
  });
});

test.each(VALUES)('the value `%s` is read as the library reads it, or left to it', (value) => {
  const text = `version: 2\nclass: ${value}\n`;
  const read = readPlain(text);
  if (read === null) return;
  const whole = readDocument(() => parseYaml(text));
  expect([whole.faults, JSON.stringify(read.value)]).toEqual([[], JSON.stringify(whole.value)]);
});

test('a roster as most are written is read the plain way', () => {
  const text = `# fleet\nversion: 2\ntmux:\n  socket_name: mosaic-fleet # all of them\ndefaults:\n  env: { A: 1 }\nagents:\n  # first\n  - name: a\n    runtime: pi\n    model_hint: openai-codex/gpt-5.5:high\n    working_directory: "~/my src"\n`;
  expect(readPlain(text)?.value).toMatchObject({ agents: [{ name: 'a', working_directory: '~/my src' }] });
});
