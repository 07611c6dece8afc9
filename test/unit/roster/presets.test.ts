import { describe, expect, test } from 'vitest';
import { resetCommandOf } from '../../../src/domain/runtime-reset.ts';
import { parseRoster } from '../../../src/roster/parse.ts';
import { type PresetChoice, presetNames, presetRoster } from '../../../src/roster/presets.ts';

const CHOICE: PresetChoice = {
  preset: 'coding',
  runtime: 'pi',
  model: 'openai-codex/gpt-5.5:high',
  workingDirectory: '~/src',
  name: 'assistant',
};
const agentsOf = (over: Partial<PresetChoice>) => {
  const { roster, problem } = parseRoster(presetRoster({ ...CHOICE, ...over }), 'f');
  expect(problem).toBeNull();
  return roster!.agents;
};

describe('a preset', () => {
  test('for coding has core agents and a worker, each with a server of its own', () => {
    expect(
      agentsOf({}).map(({ name, lifecycle, layout, runtime, model }) => [name, lifecycle, layout, runtime, model]),
    ).toEqual(
      ['orchestrator', 'coder', 'reviewer', 'worker'].map((name) => [
        name,
        name === 'worker' ? 'ephemeral' : 'core',
        'isolated',
        'pi',
        'openai-codex/gpt-5.5:high',
      ]),
    );
    expect(presetNames('coding', 'x')).toEqual(agentsOf({}).map(({ name }) => name));
  });

  test('may be one agent, of any name, runtime and folder', () => {
    const [agent, ...more] = agentsOf({
      preset: 'minimal',
      name: 'no',
      runtime: 'my: own',
      model: null,
      workingDirectory: '# x',
    });
    expect(more).toEqual([]);
    expect(agent).toMatchObject({
      name: 'no',
      runtime: 'my: own',
      model: null,
      workingDirectory: '# x',
      lifecycle: 'core',
    });
  });

  test.each(['pi', 'codex', 'claude', 'opencode'])('begins %s anew as an order without a roster does', (runtime) => {
    const { roster } = parseRoster(presetRoster({ ...CHOICE, runtime }), 'f');
    expect(roster!.resetCommands.get(runtime)).toBe(resetCommandOf(runtime, new Map()));
  });
});
