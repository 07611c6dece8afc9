/** An agent's env file where there is none yet: it is its operator's from then on, and never written again. */
import type { RosterAgent } from '../../src/domain/roster.ts';

/** `isAllTheyHave`: its unit reads this file and nothing else, so that it must say all that a roster says. */
export const envText = (agent: RosterAgent, isAllTheyHave: boolean, home: string): string => {
  const said: [string, string | null][] = [
    ['MOSAIC_AGENT_NAME', agent.name],
    ...(isAllTheyHave ? allVariables(agent, home) : []),
  ];
  const lines = said.flatMap(([name, value]) => (value === null ? [] : [`${name}=${assigned(value)}`]));
  return `${HEAD}\n${lines.join('\n')}\n`;
};

const HEAD = `# Yours: fleet made this file once, and never changes it.
# Variables here outrank the roster, and count from the agent's next start on.`;

const allVariables = (agent: RosterAgent, home: string): [string, string | null][] => [
  ['MOSAIC_AGENT_CLASS', agent.role],
  ['MOSAIC_AGENT_RUNTIME', agent.runtime],
  ['MOSAIC_AGENT_MODEL', agent.model],
  // systemd expands nothing in it.
  ['MOSAIC_AGENT_WORKDIR', agent.workingDirectory?.replace(/^~(?=\/|$)/, home) ?? null],
  ['MOSAIC_AGENT_COMMAND', agent.command],
  ['MOSAIC_TMUX_SOCKET', agent.socketName ?? ''],
  ...agent.env,
];

/** For systemd, a shell, and us alike. */
const assigned = (value: string): string =>
  /^[\w@%+=:,./-]*$/.test(value) ? value : `"${value.replaceAll(/[\\"$`]/g, '\\$&')}"`;

/** The variable that outranks the roster's socket is taken out, every other line stays as it is. */
export const withoutSocket = (text: string): string =>
  text.replaceAll(/^([ \t]*(?:export[ \t]+)?MOSAIC_TMUX_SOCKET=.*)$/gm, '# $1');
