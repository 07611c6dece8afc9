import { describe, expect, test } from 'vitest';
import { lineDiff } from '../../../src/roster/line-diff.ts';
import { chance } from './chance.ts';

const lines = (...words: string[]): string => words.map((word) => `${word}\n`).join('');

describe('two texts', () => {
  test('that are the same differ in nothing', () => {
    expect(lineDiff('', '')).toEqual([]);
    expect(lineDiff(lines('a', 'b'), lines('a', 'b'))).toEqual([]);
  });

  test('are told apart with two lines around each change', () => {
    const old = lines('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i');
    const now = lines('a', 'b', 'c', 'D', 'e', 'f', 'g', 'h', 'i', 'j');
    expect(lineDiff(old, now)).toEqual(['…', '  b', '  c', '- d', '+ D', '  e', '  f', '…', '  h', '  i', '+ j']);
  });

  test('one of which is empty, or too large to compare, are shown as replaced', () => {
    expect(lineDiff('', lines('a'))).toEqual(['+ a']);
    const [old, now] = ['x', 'y'].map((word) => lines(...Array.from({ length: 3_000 }, (_, at) => `${word}${at}`)));
    expect(lineDiff(old!, now!)).toHaveLength(6_000);
  });

  test('whatever they are, the marks lead from one to the other', () => {
    const next = chance(7);
    for (let round = 0; round < 200; round += 1) {
      const text = () => Array.from({ length: Math.floor(next() * 5) }, () => 'abc'[Math.floor(next() * 3)]!);
      const [old, now] = [text(), text()];
      const diff = lineDiff(lines(...old), lines(...now));
      const side = (mark: string) =>
        diff.filter((line) => line[0] === ' ' || line[0] === mark).map((line) => line.slice(2));
      if (!diff.includes('…') && diff.length > 0) expect([side('-'), side('+')]).toEqual([old, now]);
    }
  });
});
