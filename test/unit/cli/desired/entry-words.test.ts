import { describe, expect, test } from 'vitest';
import { entryOfFlags, keyChanges, keyPath } from '../../../../src/cli/desired/entry-words.ts';

describe('a key of an entry', () => {
  test.each([
    ['model_hint', ['model_hint']],
    ['modelHint', ['model_hint']],
    ['model', ['model_hint']],
    ['role', ['class']],
    ['workdir', ['working_directory']],
    ['restart', ['restart']],
    ['env.PORT', ['env', 'PORT']],
  ])('%s is %j', (word, path) => {
    expect(keyPath(word)).toEqual(path);
  });

  test.each([
    ['modle', /unknown key "modle"; did you mean model\?/],
    ['host', /"host" is what an agent is known by/],
    ['env', /variables are set one by one/],
    ['env.1A', /unknown key "env.1A"/],
    ['__proto__', /unknown key "__proto__"/],
  ])('%s is none', (word, why) => {
    expect(() => keyPath(word)).toThrow(why);
  });

  test('has a value of its kind, which may hold anything', () => {
    expect(keyChanges(['command=./run --x=1', 'persistent_persona=true', 'class='], ['env.A'])).toEqual([
      { path: ['command'], value: './run --x=1' },
      { path: ['persistent_persona'], value: true },
      { path: ['class'], value: '' },
      { path: ['env', 'A'], value: null },
    ]);
    expect(() => keyChanges(['reset_between_tasks=yes'], [])).toThrow(/is true or false, not "yes"/);
    expect(() => keyChanges(['class=a', 'role=b'], [])).toThrow(/class is there twice/);
  });
});

test('flags become an entry in the order in which a hand writes it, in the words of its version', () => {
  const flags = { lifecycle: 'core', runtime: 'pi', env: ['A=1', 'B='], 'env-file': 'f', 'no-start': true };
  expect(Object.entries(entryOfFlags('a', flags, 2))).toEqual([
    ['name', 'a'],
    ['runtime', 'pi'],
    ['lifecycle', 'core'],
    ['env_file', 'f'],
    ['env', { A: '1', B: '' }],
  ]);
  expect(entryOfFlags('a', { runtime: 'pi', lifecycle: 'ephemeral' }, 1)).toEqual({
    name: 'a',
    runtime: 'pi',
    reset_between_tasks: true,
  });
});
