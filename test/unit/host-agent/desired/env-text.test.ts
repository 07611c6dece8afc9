import { expect, test } from 'vitest';
import { envText, withoutSocket } from '../../../../host-agent/desired/env-text.ts';
import { parseEnvFile } from '../../../../src/roster/env-file.ts';
import { rosterOf } from './facts.ts';

const HOSTILE = String.raw`say "$HOME" \ 'x' ${'`'}id${'`'} # end`;
const agent = rosterOf(
  `{ name: coder, runtime: pi, class: coder, model_hint: 'a/b:high', working_directory: ~/src, command: ${JSON.stringify(HOSTILE)}, env: { PORT: '80' } }`,
).agents[0]!;

test('an env file that is made names its agent and nothing that would outrank the roster', () => {
  const { values, problem } = parseEnvFile(envText(agent, false, '/home/jarvis'), 'coder.env');
  expect(problem).toBeNull();
  expect([...values]).toEqual([['MOSAIC_AGENT_NAME', 'coder']]);
});

test('where a unit reads nothing else it says all that the roster says, whatever stands in it', () => {
  const { values, problem } = parseEnvFile(envText(agent, true, '/home/jarvis'), 'coder.env');
  expect(problem).toBeNull();
  expect(Object.fromEntries(values)).toEqual({
    MOSAIC_AGENT_NAME: 'coder',
    MOSAIC_AGENT_CLASS: 'coder',
    MOSAIC_AGENT_RUNTIME: 'pi',
    MOSAIC_AGENT_MODEL: 'a/b:high',
    MOSAIC_AGENT_WORKDIR: '/home/jarvis/src',
    MOSAIC_AGENT_COMMAND: HOSTILE,
    MOSAIC_TMUX_SOCKET: 'fleet-coder',
    PORT: '80',
  });
});

test('a socket is taken out as a comment, and every other line stays', () => {
  const text = '# mine\nMOSAIC_AGENT_NAME=coder\n export MOSAIC_TMUX_SOCKET=mosaic\nMOSAIC_TMUX_SOCKETS=x\n';
  expect(withoutSocket(text)).toBe(
    '# mine\nMOSAIC_AGENT_NAME=coder\n#  export MOSAIC_TMUX_SOCKET=mosaic\nMOSAIC_TMUX_SOCKETS=x\n',
  );
  expect(parseEnvFile(withoutSocket(text), 'x').values.has('MOSAIC_TMUX_SOCKET')).toBe(false);
});
