import { describe, expect, test } from 'vitest';
import { AGENT_NAME, sessionNameOf } from '../../../src/domain/roster.ts';
import { parseRoster } from '../../../src/roster/parse.ts';
import { type Chance, chance } from './chance.ts';
import { HOSTILE_TEXT } from './hostile-names.ts';

const ROUNDS = 600;
const CLEAR = /^roster\.yaml(:\d+:\d+)?: [^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u;
/** Words of a library, or of a value that was never there. */
const NO_WORDS = /Invalid input|\bundefined\b|\[object|NaN|TypeError|Cannot read/;

const KEYS = [
  'name',
  'runtime',
  'class',
  'host',
  'socket',
  'model_hint',
  'modelHint',
  'layout',
  'lifecycle',
  'effort',
  'env',
  'restart',
  'command',
  'modle',
  '__proto__',
  'constructor',
  '<<',
  '?',
];
const VALUES = [
  'pi',
  'a',
  '7',
  'true',
  '~',
  '[x]',
  '{a: b}',
  '&x y',
  '*x',
  '!!binary aGk=',
  '"\\0"',
  "'",
  '|',
  '- -',
  '0x1F',
  '.inf',
  '2026-01-01',
  '%',
  '@',
];

const pick = <T>(list: readonly T[], next: Chance): T => list[Math.floor(next() * list.length)]!;

/** A roster in which any of the things that a hand gets wrong may be wrong. */
const randomRoster = (next: Chance): string => {
  const line = (): string =>
    `    ${pick(KEYS, next)}: ${next() < 0.3 ? JSON.stringify(pick(HOSTILE_TEXT, next)) : pick(VALUES, next)}\n`;
  const agents = Array.from({ length: 1 + Math.floor(next() * 4) }, () => {
    const name = next() < 0.8 ? pick(['a', 'b', 'a.b', 'a_b'], next) : JSON.stringify(pick(HOSTILE_TEXT, next));
    return `  - name: ${name}\n    runtime: pi\n${next() < 0.5 ? line() : ''}${next() < 0.2 ? line() : ''}`;
  });
  return `version: ${next() < 0.9 ? pick(['1', '2'], next) : pick(VALUES, next)}\nagents:\n${agents.join('')}`;
};

/** Characters lost, doubled, swapped or put in, as by a slip or a torn write. */
const torn = (text: string, next: Chance): string => {
  let out = text;
  for (let slips = next() < 0.4 ? 0 : Math.floor(next() * 4); slips > 0; slips -= 1) {
    const at = Math.floor(next() * out.length);
    const put = pick(['', '\t', ':', '"', '[', '}', '\n', '\u0000', '\ufeff', '\u202e', '-', '&a ', '*a', '#'], next);
    out = out.slice(0, at) + put + out.slice(at + (next() < 0.5 ? 1 : 0));
  }
  return out;
};

describe('whatever stands in a roster', { timeout: 60_000 }, () => {
  test.each([1, 2, 3])(
    'it is a roster of good names, or one clear line that says where it is not (seed %i)',
    (seed) => {
      const next = chance(seed);
      const told = { good: 0, bad: 0 };
      for (let round = 0; round < ROUNDS; round += 1) {
        const text = torn(randomRoster(next), next);
        const { roster, problem } = parseRoster(text, 'roster.yaml');
        if (roster === null) {
          told.bad += 1;
          expect(problem, JSON.stringify(text)).toMatch(CLEAR);
          expect(problem, JSON.stringify(text)).not.toMatch(NO_WORDS);
          expect(problem.length, JSON.stringify(text)).toBeLessThan(400);
          continue;
        }
        told.good += 1;
        const names = roster.agents.map(({ name }) => name);
        expect(
          names.filter((name) => !AGENT_NAME.test(name)),
          JSON.stringify(text),
        ).toEqual([]);
        const screens = roster.agents.map(
          (agent) => `${agent.user}@${agent.host} ${agent.socketName} ${sessionNameOf(agent.name)}`,
        );
        expect(new Set(screens).size, JSON.stringify(text)).toBe(screens.length);
      }
      expect(told.good).toBeGreaterThan(ROUNDS / 50);
      expect(told.bad).toBeGreaterThan(ROUNDS / 2);
    },
  );
});
