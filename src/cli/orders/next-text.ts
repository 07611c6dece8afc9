/** The agent that waits longest, with everything a person needs to deal with it. Pure. */
import type { AgentView, AttentionView } from '../../domain/agent-view.ts';
import { cleanText } from '../../domain/clean-text.ts';
import type { PromptReading } from '../../wire/gen/fleet/v1/terminal.ts';
import { fine } from '../render/duration.ts';
import type { Painter } from '../render/paint.ts';
import type { Waiting } from './longest-waiting.ts';
import { choiceLines, commandOf, excerptLines, promptObject } from './prompt-text.ts';

export interface NextAgent extends Waiting {
  /** The program, as a person types it. */
  fleet: string;
  /** null where the screen says nothing, or could not be asked. */
  prompt: PromptReading | null;
  /** How many others wait, too. */
  others: number;
}

/** Lines without line ends. */
export const nextLines = ({ agent, typed, fleet, prompt }: NextAgent, paint: Painter): string[] => {
  const lines = [`${cleanText(agent.address)}  ${paint('attention', cleanText(needWords(agent)))}`];
  if (prompt && prompt.excerpt.length > 0) lines.push('', ...excerptLines(prompt, paint));
  if (prompt && prompt.choices.length > 0) lines.push('', ...choiceLines({ fleet, agent: typed }, prompt, paint));
  lines.push('', ...waysOf(agent, fleet, typed).map(([what, command]) => `  ${what.padEnd(9)}  ${command}`));
  return lines;
};

const ENDED: Partial<Record<string, string>> = { failed: 'failed', dead: 'died' };

const needWords = ({ attention }: AgentView): string => {
  const { need, since_seconds, summary } = attention as AttentionView;
  const since = since_seconds === null ? '' : fine(since_seconds);
  const ended = ENDED[need];
  const words =
    ended === undefined ? `needs ${need}${since && ` for ${since}`}` : `${ended}${since && ` ${since} ago`}`;
  return `${words}${summary === '' ? '' : `: ${summary}`}`;
};

/** Without a session there is no screen to be looked at or typed into. */
const waysOf = ({ tmux, managed }: AgentView, fleet: string, typed: string): [string, string][] => {
  const ways: [string, string, ...string[]][] =
    tmux !== null
      ? [
          ['watch it', 'watch', typed],
          ['take over', 'attach', typed],
        ]
      : [
          ...(managed ? [['start it', 'start', typed] as [string, string, string]] : []),
          ['its end', 'tail', typed, '--last-run'],
        ];
  return [...ways, ['why', 'explain', typed] as const].flatMap(([what, verb, ...words]) => {
    const command = commandOf(fleet, verb, ...words);
    return command === null ? [] : [[what, command] as [string, string]];
  });
};

/** Of `fleet next -o json`; `agent` is a row as in `fleet ps -o json`, null where nobody waits. */
export const nextObject = (next: NextAgent | null, complete: boolean): Record<string, unknown> => ({
  schema: 'fleet.next/v1',
  complete,
  waiting: next === null ? 0 : next.others + 1,
  agent: next?.agent ?? null,
  prompt: next?.prompt ? promptObject({ fleet: next.fleet, agent: next.typed }, next.prompt) : null,
});
