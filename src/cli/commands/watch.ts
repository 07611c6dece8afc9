import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import { systemClock } from '../../runtime/clock.ts';
import { hostAgentEndpoint } from '../client/endpoints.ts';
import type { CommandContext } from '../command.ts';
import { EXIT, exitCodeOf } from '../exit-codes.ts';
import { LEAVE } from '../render/full-screen.ts';
import { TerminalGuard } from '../render/terminal-guard.ts';
import { UsageError } from '../usage-error.ts';
import { feedFrames } from '../watch/frame-feed.ts';
import { exitOfSignal } from '../watch/leaving.ts';
import { locateAgents } from '../watch/locate.ts';
import { SharedLine } from '../watch/shared-line.ts';
import { showOnce } from '../watch/show-once.ts';
import { TerminalView } from '../watch/terminal-view.ts';
import { endWords } from '../watch/view-words.ts';
import { WatchedAgent } from '../watch/watched-agent.ts';

const MAX_FPS = 60;

export const run = async (context: CommandContext): Promise<number> => {
  const { paths, flags, stdout, signal } = context;
  const fps = framesPerSecond(flags.fps as string);
  const isOnce = flags.once === true;
  checkForm(context);
  const onTerminal = !isOnce && stdout.isTTY && flags.output === undefined;
  using guard = new TerminalGuard();
  const [located] = await Promise.all([
    locateAgents(paths, context.positionals, signal),
    onTerminal ? guard.start(context.stdin, stdout, LEAVE) : null,
  ]);
  const line = new SharedLine(hostAgentEndpoint(paths));
  // All tiles together get as many frames as one agent would.
  const minIntervalMs = Math.round((1_000 * located.length) / fps);
  const agents = located.map((agent) => new WatchedAgent({ ...agent, line, minIntervalMs, clock: systemClock }));
  if (isOnce) {
    return await showOnce(context, agents[0] as WatchedAgent);
  }
  const view = onTerminal ? new TerminalView(context, agents, fps, guard) : null;
  const show = (over: AbortSignal): Promise<void> =>
    view ? view.run(over) : feedFrames(context, agents, 1_000 / fps, over);
  try {
    await watchWhile(agents, AbortSignal.any([signal, ...(view ? [view.left] : [])]), show);
  } finally {
    view?.[Symbol.dispose]();
  }
  return tellEnd(context, agents, view?.left.aborted ?? false);
};

/** Shows the agents until the signal aborts or nothing more can come of any; whatever ends the showing ends the streams. */
const watchWhile = async (
  agents: readonly WatchedAgent[],
  signal: AbortSignal,
  show: (over: AbortSignal) => Promise<void>,
): Promise<void> => {
  const stop = new AbortController();
  const until = AbortSignal.any([signal, stop.signal]);
  const running = Promise.allSettled(agents.map((agent) => agent.run(until)));
  running.then(() => stop.abort());
  try {
    await show(until);
  } finally {
    stop.abort();
  }
  for (const result of await running) {
    if (result.status === 'rejected' && !(result.reason instanceof FleetError)) throw result.reason;
  }
};

/** One line for each agent that came to an end, and the exit code of the first that failed. */
const tellEnd = ({ stderr, signal }: CommandContext, agents: readonly WatchedAgent[], hasLeft: boolean): number => {
  const [failed] = agents.flatMap(({ failure }) => failure ?? []);
  if (failed && agents.length === 1) throw failed;
  for (const { address, end, failure } of agents) {
    const why = end ? endWords(end) : failure?.message;
    if (why) stderr.write(`${cleanText(`${address}: ${why}`)}\n`);
  }
  if (hasLeft) return EXIT.done;
  if (signal.aborted) return exitOfSignal(signal);
  return failed ? exitCodeOf[failed.code] : EXIT.done;
};

const framesPerSecond = (text: string): number => {
  const fps = Number(text);
  if (/^\d+$/.test(text) && fps >= 1 && fps <= MAX_FPS) return fps;
  throw new UsageError(`--fps ${text}: a whole number from 1 to ${MAX_FPS}`);
};

const checkForm = ({ flags, positionals }: CommandContext): void => {
  const form = flags.output;
  if (flags.once === true && positionals.length > 1) throw new UsageError('--once shows one agent, not several');
  if (flags.once !== true && form !== undefined && form !== 'ndjson') {
    throw new UsageError(`-o ${form} is one screen: add --once, or take -o ndjson for a stream of them`);
  }
};
