import { expect, test } from 'vitest';
import { holdsDraft, type Look, TypedText } from '../../../../host-agent/command/screen-evidence.ts';

/** Rows of text; `|` marks the cursor. */
const look = (rows: string[], composer?: { text: string; placeholder?: boolean }): Look => {
  const cursorY = Math.max(
    0,
    rows.findIndex((row) => row.includes('|')),
  );
  const cursorX = Math.max(0, (rows[cursorY] ?? '').indexOf('|'));
  const spans = rows
    .map((row) => row.replace('|', ''))
    .map((text) => ({
      text,
      columns: text.length,
      foreground: 0,
      background: 0,
      attributes: 0,
      underlineColor: 0,
    }));
  const picture = { width: 40, height: rows.length, cursorX, cursorY, rows: spans.map((span) => [span]) };
  const reading = composer && { composer: { x: 0, y: 0, placeholder: false, ...composer } };
  return { picture, reading: reading ?? null } as unknown as Look;
};
const empty = look([''], { text: '' });

test.each([
  ['ours', 'run the tests again'],
  ['ours', 'run the\n  tests again'],
  ['ours', '│ run the tests │\n│ again │'],
  ['ours', 'the tests again'],
  ['ours', '[Pasted text #1 +12 lines]'],
  ['ours', '[Pasted Content 4000 chars]'],
  ['ours', '[paste #2 +30 lines]'],
  ['mixed', 'run the tests again and more'],
  ['mixed', 'wait, [Pasted text #1 +12 lines]'],
  ['other', 'something else'],
  ['empty', ''],
])('a composer holds %s: %s', (standing, text) => {
  expect(new TypedText('run the tests again').standing(look([''], { text }), empty)).toBe(standing);
});

test('a hint of the program is nothing, whatever it says', () => {
  const hint = look([''], { text: 'run the tests again', placeholder: true });
  expect(new TypedText('run the tests again').standing(hint, empty)).toBe('empty');
  expect(holdsDraft(hint)).toBe(false);
});

test.each([
  ['ours', ['> run the tests|']],
  ['ours', ['> run the ', 'tests|']],
  ['empty', ['> run the tests', 'noted', '> |']],
  ['unseen', ['> run the tests', '|']],
  ['unseen', ['> run the tests', 'working|']],
])('without a composer the cursor tells: %s', (standing, rows) => {
  expect(new TypedText('run the tests').standing(look(rows), look(['> |']))).toBe(standing);
});

test('a short text is ours only right behind the prompt', () => {
  const before = look(['> |']);
  expect(new TypedText('ok').standing(look(['> ok|']), before)).toBe('ours');
  expect(new TypedText('ok').standing(look(['> not ok|']), before)).toBe('unseen');
});

test('a text of pictures alone is compared by them', () => {
  const text = new TypedText('🚀🚀');
  expect(text.standing(look([''], { text: '🚀🚀' }), empty)).toBe('ours');
  expect(text.standing(look([''], { text: '🎉' }), empty)).toBe('other');
});

test('copies are counted over wrapped lines', () => {
  expect(new TypedText('run the tests').copies(look(['run the', 'tests', '> run the tests']))).toBe(2);
});

test.each([
  [true, 'agent> half a thought|'],
  [true, '$ ls -l|'],
  [false, 'agent> |'],
  [false, '[12:30] > |'],
  [false, '|'],
  [false, 'working|'],
])('without a composer a draft is text behind a prompt: %s for %s', (isDraft, row) => {
  expect(holdsDraft(look([row]))).toBe(isDraft);
});
