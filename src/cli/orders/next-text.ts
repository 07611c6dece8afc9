/** The agent that waits longest, with everything a person needs to deal with it. Pure. */
import type { AttentionView } from '../../domain/agent-view.ts';
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
  const { need, since_seconds, summary } = agent.attention as AttentionView;
  const since = since_seconds === null ? '' : ` for ${fine(since_seconds)}`;
  const words = cleanText(`needs ${need}${since}${summary === '' ? '' : `: ${summary}`}`);
  const lines = [`${cleanText(agent.address)}  ${paint('attention', words)}`];
  if (prompt && prompt.excerpt.length > 0) lines.push('', ...excerptLines(prompt, paint));
  if (prompt && prompt.choices.length > 0) lines.push('', ...choiceLines({ fleet, agent: typed }, prompt, paint));
  lines.push('', ...waysOf(fleet, typed).map(([what, command]) => `  ${what.padEnd(9)}  ${command}`));
  return lines;
};

const waysOf = (fleet: string, typed: string): [string, string][] =>
  (
    [
      ['watch it', 'watch'],
      ['take over', 'attach'],
      ['why', 'explain'],
    ] as const
  ).flatMap(([what, verb]) => {
    const command = commandOf(fleet, verb, typed);
    return command === null ? [] : [[what, command] as [string, string]];
  });

/** Of `fleet next -o json`; `agent` is a row as in `fleet ps -o json`, null where nobody waits. */
export const nextObject = (next: NextAgent | null, complete: boolean): Record<string, unknown> => ({
  schema: 'fleet.next/v1',
  complete,
  waiting: next === null ? 0 : next.others + 1,
  agent: next?.agent ?? null,
  prompt: next?.prompt ? promptObject({ fleet: next.fleet, agent: next.typed }, next.prompt) : null,
});
