import { EVERYTHING } from '../../domain/agent-filter.ts';
import { cleanText } from '../../domain/clean-text.ts';
import { BugError, FleetError } from '../../domain/errors.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { PromptReading } from '../../wire/gen/fleet/v1/terminal.ts';
import { takeSnapshot } from '../client/snapshot.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { askWhy } from '../orders/ask-why.ts';
import { longestWaiting, type Waiting, waitingIn } from '../orders/longest-waiting.ts';
import { type NextAgent, nextLines, nextObject } from '../orders/next-text.ts';
import { fleetWords } from '../orders/shell-word.ts';
import { linesOf, writeAll } from '../output.ts';
import { parseCommandLine } from '../parse.ts';
import { type Picture, takePicture } from '../picture.ts';
import { jsonText } from '../render/json.ts';
import { localOnlyLine } from '../render/notes.ts';
import { painterFor } from '../render/paint.ts';
import { specs } from './specs.ts';

export const run = async (context: CommandContext): Promise<number> => {
  const { paths, stderr, signal } = context;
  const mirror = await takeSnapshot(paths, { localOnly: false, hostsOnly: false, clock: systemClock, signal });
  const nowMono = systemClock.monotonicMs();
  const picture = takePicture(mirror, nowMono, { filter: EVERYTHING, localOnly: false, compare: null });
  const warning = localOnlyLine(picture);
  if (warning) stderr.write(`${warning}\n`);
  const waiting = [...waitingIn(mirror, nowMono)];
  const longest = longestWaiting(waiting);
  const next = longest && {
    ...longest,
    fleet: fleetWords(paths),
    others: waiting.length - 1,
    prompt: await promptOf(context, longest),
  };
  await show(context, next, picture);
  return next !== null && next.agent.tmux !== null && opensView(context) ? watch(context, next.typed) : EXIT.done;
};

/** What the screen asks; the agent waits all the same when its host cannot say. */
const promptOf = async (
  { paths, stderr, signal, flags }: CommandContext,
  waiting: Waiting,
): Promise<PromptReading | null> => {
  if (flags.output === 'name') return null;
  try {
    return (await askWhy(paths, waiting, signal)).prompt ?? null;
  } catch (error) {
    if (!(error instanceof FleetError) || signal.aborted) throw error;
    stderr.write(`${cleanText(`what it asks is not known: ${error.message}`)}\n`);
    return null;
  }
};

const show = async (context: CommandContext, next: NextAgent | null, picture: Picture): Promise<void> => {
  const { flags, stdout, stderr, env, signal } = context;
  if (flags.output === 'json') return writeAll(stdout, linesOf([jsonText(nextObject(next, picture.complete))]), signal);
  const doubt = picture.complete ? '' : ' of those that can be asked; fleet hosts shows the others';
  if (next === null) {
    stderr.write(`nobody waits for you${doubt}\n`);
    return;
  }
  const lines = flags.output === 'name' ? [next.agent.address] : nextLines(next, painterFor(stdout, env));
  await writeAll(stdout, linesOf(lines), signal);
  if (next.others > 0)
    stderr.write(`${next.others} more wait${next.others === 1 ? 's' : ''}${doubt}: fleet ps --needs-me\n`);
};

const opensView = ({ flags, stdin, stdout }: CommandContext): boolean =>
  flags.output === 'table' && flags['no-watch'] !== true && stdout.isTTY && stdin.isTTY;

/** As if a person had typed it. */
const watch = async (context: CommandContext, typed: string): Promise<number> => {
  const parsed = parseCommandLine(['watch', '--', typed], specs);
  if (parsed.kind !== 'run') throw new BugError('fleet watch is not understood');
  const { positionals, flags, spec } = parsed;
  return (await spec.load()).run({ ...context, positionals, flags });
};
