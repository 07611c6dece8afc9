import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { parseRules } from '../../../../host-agent/prompts/rule-schema.ts';
import { RuleShelf } from '../../../../host-agent/prompts/rule-shelf.ts';
import { ScreenPrompts } from '../../../../host-agent/prompts/screen-prompts.ts';
import { recordedScreen } from '../../../helpers/screen-fixture.ts';

const config = mkdtempSync(join(tmpdir(), 'fleet-rules-'));
const folder = join(config, 'runtime-rules');
const path = join(folder, 'claude.json');
afterEach(() => rmSync(folder, { recursive: true, force: true }));
afterAll(() => rmSync(config, { recursive: true, force: true }));

const shelf = () => {
  let monoMs = 0;
  return {
    later: () => {
      monoMs += 3_000;
    },
    rules: new RuleShelf(config, { nowMs: () => monoMs, monotonicMs: () => monoMs, bootMs: () => 0 }),
  };
};
const own = (rules: unknown[], over: object = {}): string =>
  JSON.stringify({ format: 1, runtime: 'claude', version: 'mine', rules, ...over });
const write = (text: string): void => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, text);
};
const blocked = { state: 'blocked', seen: true, reasonCode: 'other', need: 'other' };
const names = (rules: RuleShelf): string[] => rules.rulesFor('claude')?.rules.map(({ name }) => name) ?? [];

test('a rule of the user is tried first, and takes the place of the shipped one of its name; the others stand', () => {
  const shipped = names(shelf().rules);
  write(
    own([
      { ...blocked, name: 'house', reason: 'mine', when: [{ where: 'title', has: ['House'] }] },
      { ...blocked, name: 'approval', reason: 'mine', when: [{ where: 'bottom', has: ['proceed'] }] },
    ]),
  );
  const { rules } = shelf();
  expect(names(rules)).toEqual(['house', 'approval', ...shipped.filter((name) => name !== 'approval')]);
  const prompts = new ScreenPrompts(rules);
  expect(prompts.reading('claude', recordedScreen('claude-approval'))?.rule?.reason).toBe('mine');
  expect(prompts.reading('claude', recordedScreen('claude-trust'))?.rule?.name).toBe('trust-folder');
  expect(prompts.version('claude')).toContain(path);
  expect(rules.problems()).toEqual([]);
});

test.each([
  ['no JSON', '{"format": 1,', /JSON/],
  ['an unknown key', own([], { colour: 'red' }), /colour/],
  [
    'a rule that would fit every screen',
    own([{ ...blocked, name: 'all', reason: 'x' }]),
    /fits every screen.*rules\[0\]/,
  ],
  [
    'a block without a reason',
    own([{ name: 'x', state: 'blocked', seen: true, when: [{ where: 'title', has: ['x'] }] }]),
    /reasonCode, a need and a reason/,
  ],
  [
    'a broken pattern',
    own([{ ...blocked, name: 'x', reason: 'x', when: [{ where: 'title', has: ['('] }] }]),
    /rules\[0\]\.when\[0\]\.has\[0\]/,
  ],
  [
    'a pattern that runs away',
    own([{ ...blocked, name: 'x', reason: 'x', when: [{ where: 'title', has: ['(a+)+$'] }] }]),
    /repetition inside a repetition/,
  ],
  ['another runtime', own([], { runtime: 'codex' }), /codex\.json/],
])('a file with %s is named with its place, and the shipped rules stand', (_, text, words) => {
  const shipped = names(shelf().rules);
  write(text);
  const { rules } = shelf();
  expect(names(rules)).toEqual(shipped);
  const [problem, ...more] = rules.problems();
  expect(more).toEqual([]);
  expect(problem).toContain(path);
  expect(problem).toMatch(words);
});

test('a pipe in place of a file is named, and nothing waits for it', () => {
  mkdirSync(folder, { recursive: true });
  execFileSync('mkfifo', [path]);
  const { rules } = shelf();
  expect(names(rules)).toContain('approval');
  expect(rules.problems()).toEqual([`${path}: is no regular file; shipped rules used`]);
});

test('a file that is mended, or removed, counts without a restart', () => {
  const { rules, later } = shelf();
  const shipped = names(rules);
  write('{');
  later();
  expect(rules.problems()).toHaveLength(1);
  write(own([{ ...blocked, name: 'house', reason: 'mine', when: [{ where: 'title', has: ['House'] }] }]));
  later();
  expect([rules.problems(), names(rules)[0]]).toEqual([[], 'house']);
  rmSync(path);
  later();
  expect(names(rules)).toEqual(shipped);
});

test('a name that is no runtime reaches no file', () => {
  expect(shelf().rules.rulesFor('../../host-policy')).toBeNull();
});

test.each(['(a*)*', '(?:a|b+)+', '(x{2,})*', '(a)\\1'])('the pattern %s is refused', (source) => {
  expect(() =>
    parseRules(JSON.parse(own([{ ...blocked, name: 'x', reason: 'x', when: [{ where: 'title', has: [source] }] }]))),
  ).toThrow(/repetition inside/);
});
