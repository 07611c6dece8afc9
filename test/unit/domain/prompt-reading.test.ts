import { describe, expect, test } from 'vitest';
import { answerKeys, choiceMeant, readChoices } from '../../../src/domain/prompt-choices.ts';
import { readScreen } from '../../../src/domain/prompt-reading.ts';
import type { ComposerRule, PromptRule, RuleSet } from '../../../src/domain/prompt-rules.ts';
import { plainScreen } from '../../helpers/screen-fixture.ts';

const rule = (over: Partial<PromptRule> = {}): PromptRule => ({
  name: 'r',
  state: 'blocked',
  seen: true,
  reasonCode: 'approval',
  need: 'approval',
  reason: 'asks',
  composer: null,
  when: [{ where: 'bottom', lines: 12, has: [/proceed\?/u], hasNot: [] }],
  prompt: { from: /proceed\?/u, after: false, inside: false, leaveOut: [], gist: null },
  choices: { list: 'numbered', selected: /^\s*❯/u, keys: 'digit' },
  ...over,
});
const composer: ComposerRule = {
  above: null,
  below: null,
  frame: null,
  marker: /^> /u,
  leaveOut: [],
  hintColors: [],
  hintWords: null,
};
const set = (rules: PromptRule[], over: Partial<RuleSet> = {}): RuleSet => ({
  runtime: 'x',
  version: '1',
  file: null,
  composer: null,
  rules,
  ...over,
});
const read = (lines: string[], rules = set([rule()]), title = '') =>
  readScreen(rules, plainScreen(lines, { title }), (text) => text);

describe('which rule decides', () => {
  test('the first that fits', () => {
    const rules = set([rule({ name: 'a', when: [{ where: 'title', lines: 1, has: [/never/u], hasNot: [] }] }), rule()]);
    expect(read(['go on, proceed?'], rules).rule?.name).toBe('r');
  });

  test('none that fits is unknown, not a guess', () => {
    expect(read(['all is well']).state).toBe('unknown');
    expect(read([]).state).toBe('unknown');
  });

  test('what must not be there keeps a rule from fitting', () => {
    const when = [{ where: 'screen' as const, lines: 1, has: [/proceed\?/u], hasNot: [/answered/u] }];
    expect(read(['proceed?', 'answered'], set([rule({ when })])).state).toBe('unknown');
    expect(read(['proceed?'], set([rule({ when })])).state).toBe('blocked');
  });

  test('text far above the bottom decides nothing', () => {
    expect(read(['proceed?', ...new Array(12).fill('later')]).state).toBe('unknown');
  });

  test('a prompt that was only talked about does not block where a composer stands', () => {
    const rules = set([rule({ composer: 'absent' })], { composer });
    expect(read(['proceed?', ' ❯ 1. Yes', '', '> '], rules).state).toBe('unknown');
    expect(read(['proceed?', ' ❯ 1. Yes'], rules).state).toBe('blocked');
  });
});

describe('the name of a prompt', () => {
  const id = (...lines: string[]) => read(lines).promptId;

  test('does not change with spinner, timer, wrapping or selection', () => {
    const one = id('proceed? rm old.txt', ' ❯ 1. Yes', '   2. No', '⠋ waiting (3s • esc)');
    expect(id('proceed? rm', ' old.txt', '   1. Yes', ' ❯ 2. No', '⠙ waiting (1m 4s • esc)')).toBe(one);
  });

  test.each([
    ['text', 'proceed? rm new.txt', ' ❯ 1. Yes', '   2. No'],
    ['a duration in a command', 'proceed? sleep 5s', ' ❯ 1. Yes', '   2. No'],
    ['a choice', 'proceed? rm old.txt', ' ❯ 1. Yes', '   2. Never'],
    ['the order of choices', 'proceed? rm old.txt', ' ❯ 1. No', '   2. Yes'],
    ['the number of choices', 'proceed? rm old.txt', ' ❯ 1. Yes', '   2. No', '   3. Always'],
  ])('changes with %s', (_, ...lines) => {
    expect(id(...lines)).not.toBe(id('proceed? rm old.txt', ' ❯ 1. Yes', '   2. No'));
    expect(id('proceed? sleep 6s', ' ❯ 1. Yes', '   2. No')).not.toBe(id('proceed? sleep 5s', ' ❯ 1. Yes', '   2. No'));
  });
});

describe('choices', () => {
  const numbered = (...lines: string[]) => read(['proceed?', ...lines]).choices;

  test('numbers in the text of the prompt are no choices', () => {
    expect(numbered('1. first do this', '2. then that', '', '❯ 1. Yes', '  2. No').map(({ label }) => label)).toEqual([
      'Yes',
      'No',
    ]);
  });

  test('a list that does not count up ends where it breaks', () => {
    expect(numbered('❯ 1. Yes', '  3. No').map(({ name }) => name)).toEqual(['1']);
  });

  test('a choice of two digits cannot be taken by its digits: the first would answer', () => {
    const choices = numbered('❯ 1. one', ...Array.from({ length: 10 }, (_, at) => `  ${at + 2}. more`));
    expect(choices).toHaveLength(11);
    expect(answerKeys(rule(), choices, '9')?.confirm).toEqual(['9']);
    expect(answerKeys(rule(), choices, '10')).toBeNull();
  });

  test('what is written between choices describes them', () => {
    expect(numbered('❯ 1. Red', '     warm', '  2. Blue', '     cold').map(({ label }) => label)).toEqual([
      'Red',
      'Blue',
    ]);
  });

  test('fixed choices have the keys that the rule says', () => {
    const choices = [
      { name: 'y', label: 'Yes', keys: ['y', 'Enter'], selected: false },
      { name: 'n', label: 'No', keys: ['n', 'Enter'], selected: true },
    ];
    const fixed = rule({ choices: { list: 'fixed', keys: 'fixed', choices } });
    expect(answerKeys(fixed, readChoices(fixed, [], []), 'yes')?.confirm).toEqual(['y', 'Enter']);
  });

  test('arrows need to know where they begin', () => {
    const arrows = rule({ choices: { list: 'numbered', selected: /^\s*❯/u, keys: 'arrows' } });
    const unselected = [
      { name: '1', label: 'Yes', selected: false },
      { name: '2', label: 'No', selected: false },
    ];
    expect(answerKeys(arrows, unselected, '2')).toBeNull();
    const second = unselected.map((choice, i) => ({ ...choice, selected: i === 1 }));
    expect(answerKeys(arrows, second, '1')).toMatchObject({ moves: ['Up'], confirm: ['Enter'] });
  });

  test('a word means a choice only if it can mean no other', () => {
    const choices = ['Yes', 'Yes, always', 'No'].map((label, i) => ({ name: String(i + 1), label, selected: false }));
    expect(choiceMeant(choices, 'YES')?.name).toBe('1');
    expect(choiceMeant(choices, 'n')?.name).toBe('3');
    expect(choiceMeant(choices, 'y')).toBeNull();
    expect(choiceMeant(choices, ' ')).toBeNull();
  });
});

describe('composers', () => {
  const at = (lines: string[], over: Partial<ComposerRule> = {}) =>
    read(lines, set([], { composer: { ...composer, ...over } })).composer;

  test('text over several lines, up to a blank one', () => {
    expect(at(['> one', '  two', '', 'status'])).toEqual({ y: 0, x: 2, text: 'one\ntwo', placeholder: false });
  });

  test('a sent message keeps its marker dim, and is none', () => {
    expect(at(['\x1b[2m> sent\x1b[0m', '', 'busy'])).toBeNull();
  });

  test('dim text is a hint, and so is one below a drawn cursor', () => {
    expect(at(['> \x1b[2mtry this\x1b[0m'])?.placeholder).toBe(true);
    expect(at(['> \x1b[7mt\x1b[0;2mry this\x1b[0m'])?.placeholder).toBe(true);
    expect(at(['> \x1b[7mt\x1b[0m'])?.placeholder).toBe(false);
    expect(at(['> tr\x1b[2my this\x1b[0m'])?.placeholder).toBe(false);
  });

  test('between borders, the lowest pair counts', () => {
    const borders = { above: /^-{8}/u, below: /^-{8}/u };
    const lines = ['--------', '> old', '--------', 'said', '--------', '> new', '--------', 'status'];
    expect(at(lines, borders)?.text).toBe('new');
    expect(at([...lines, ...new Array(9).fill('more')], borders)).toBeNull();
  });
});

describe('hostile screens', () => {
  test.each([
    ['lines of 10,000 characters', new Array(50).fill(' ❯ 1. '.repeat(1_700))],
    ['a thousand rows', new Array(1_000).fill('proceed? 1. 2. 3.')],
    ['nothing but spaces', new Array(50).fill(' '.repeat(10_000))],
    ['borders only', new Array(200).fill('─'.repeat(500))],
  ])('%s are read in no time and yield bounded words', (_, lines) => {
    const reading = read(
      lines,
      set([rule()], { composer: { ...composer, above: /^─{8}/u, below: /^─{8}/u } }),
      '⠋'.repeat(9_999),
    );
    expect(reading.excerpt.length).toBeLessThanOrEqual(8);
    for (const line of [...reading.excerpt, reading.summary]) expect(line.length).toBeLessThanOrEqual(400);
    expect(reading.choices.length).toBeLessThanOrEqual(20);
  });

  test('what could turn a terminal about is made visible', () => {
    const reading = read(['proceed? \u202egnp.txt', ' ❯ 1. Y\u200bes']);
    expect(reading.summary + reading.excerpt.join('') + reading.choices[0]?.label).not.toMatch(/[\u202e\u200b]/);
  });
});
