import { expect, test } from 'vitest';
import { checkStrokes, cleanPaste, isKeyName, MAX_STROKES } from '../../../src/domain/key-stroke.ts';

test.for(['Up', 'C-M-S-Left', 'S-F12', 'PPage', 'M-Enter', 'C-a', 'C-M-z', 'C-\\', 'C-Space', 'M-é', 'M-😀', 'BTab'])(
  '%s is a key',
  (name) => expect(isKeyName(name)).toBe(true),
);

test.for([
  '',
  'a',
  'up',
  'S-Enter',
  'S-Tab',
  'C-Enter',
  'C-A',
  'C-;',
  'S-a',
  'M-C-x',
  'F13',
  'KP0',
  'M-',
  'M-ab',
  'M- ',
  'Up\n',
  '-l',
  'M-\u0301',
  'Any',
])('%j is none: tmux would type its letters, or something else', (name) => expect(isKeyName(name)).toBe(false));

test.for([
  [{}],
  [{ text: 'a', key: 'Up' }],
  [{ text: '' }],
  [{ text: 'a\n' }],
  [{ text: '\u009b' }],
  [{ text: 'x'.repeat(4_097) }],
  [{ paste: '' }],
  [{ paste: 'x'.repeat(262_145) }],
])('%j is refused, and what was typed is not quoted', ([stroke]) => {
  expect(() => checkStrokes([stroke as object])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  expect(() => checkStrokes([stroke as object])).not.toThrow(/xxx/);
});

test('a call is bounded in strokes and in bytes', () => {
  const many = (count: number, stroke: object) => () => checkStrokes(new Array(count).fill(stroke));
  expect(many(MAX_STROKES, { key: 'Up' })).not.toThrow();
  expect(many(MAX_STROKES + 1, { key: 'Up' })).toThrow(/strokes at once/);
  expect(many(0, {})).toThrow(/no strokes/);
  expect(many(2, { paste: 'x'.repeat(200_000) })).toThrow(/bytes at once/);
});

test('a paste keeps its lines and tabs, and nothing that could end its bracket', () => {
  expect(cleanPaste('a\r\nb\rc\td\x1b[201~\x07\u009b\x7fé😀')).toBe('a\nb\nc\td[201~é😀');
});
