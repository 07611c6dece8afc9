import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { TerminalEnd } from '../../wire/gen/fleet/v1/terminal.ts';
import { hostAgentEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import { tailTerminal } from '../client/terminal-methods.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { linesOf, writeAll } from '../output.ts';
import { jsonText } from '../render/json.ts';
import { listRuns, tellRun } from '../tail/ended-run.ts';
import { FollowedLines, type LineSink, RESUME_LINES } from '../tail/follow-lines.ts';
import { UsageError } from '../usage-error.ts';
import { exitOfSignal } from '../watch/leaving.ts';
import { type LocatedAgent, locateAgents } from '../watch/locate.ts';
import { runPersistently } from '../watch/persistent-stream.ts';
import { endObject, LINES_SCHEMA } from '../watch/screen-json.ts';
import { SharedLine } from '../watch/shared-line.ts';
import { endWords } from '../watch/view-words.ts';

const DEFAULT_LINES = '20';
const MAX_LINES = 10_000;
const ONCE_DEADLINE_MS = 10_000;
/** Each opening is a record of the audit, and an agent can be away for days. */
const BACKOFF = { firstMs: 200, capMs: 5_000 };

export const run = async (context: CommandContext): Promise<number> => {
  const { paths, flags, signal } = context;
  const given = flags.lines as string | undefined;
  const count = lineCount(given ?? DEFAULT_LINES);
  const back = runBack(context);
  const [agent] = (await locateAgents(paths, context.positionals, signal)) as [LocatedAgent];
  if (flags.runs === true) {
    await listRuns(context, agent);
    return EXIT.done;
  }
  if (back > 0) {
    await tellRun(context, agent, { back, count: given === undefined ? null : count });
    return EXIT.done;
  }
  const lines = new FollowedLines(sinkFor(context, agent.address), cleanText, count > 0);
  if (flags.follow !== true) {
    await tailOnce(context, agent, count, lines);
    return EXIT.done;
  }
  const end = await follow(context, agent, count, lines);
  if (end === null) return exitOfSignal(signal);
  context.stderr.write(`${cleanText(`${agent.address}: ${endWords(end)}`)}\n`);
  if (flags.output === 'ndjson') {
    const object = { schema: LINES_SCHEMA, event: 'end', address: agent.address, ...endObject(end) };
    await writeAll(context.stdout, linesOf([jsonText(object)]), signal);
  }
  return EXIT.done;
};

const tailOnce = async (
  { paths, signal }: CommandContext,
  { place }: LocatedAgent,
  count: number,
  lines: FollowedLines,
): Promise<void> => {
  using channel = new GrpcChannel(hostAgentEndpoint(paths));
  const request = { ...place, lines: atLeastOne(count), follow: false, lastRun: 0 };
  const options = { deadlineMs: ONCE_DEADLINE_MS, signal };
  for await (const message of channel.stream(tailTerminal, request, options)) await lines.take(message);
};

/** Null when the person left. */
const follow = async (
  { paths, signal }: CommandContext,
  agent: LocatedAgent,
  count: number,
  lines: FollowedLines,
): Promise<TerminalEnd | null> => {
  let end: TerminalEnd | null = null;
  try {
    await runPersistently(
      {
        line: new SharedLine(hostAgentEndpoint(paths)),
        method: tailTerminal,
        place: agent.place,
        request: (place) => ({
          ...place,
          lines: lines.hasTold ? RESUME_LINES : atLeastOne(count),
          follow: true,
          lastRun: 0,
        }),
        onMessage: async (message) => {
          await lines.take(message);
          end = message.end ?? null;
          return end !== null;
        },
        onBroken: (reason) => lines.broken(reason),
        find: agent.find,
        clock: systemClock,
        stallMs: null,
        backoff: BACKOFF,
      },
      signal,
    );
  } catch (error) {
    if (signal.aborted) return null;
    if (!(error instanceof FleetError) || error.code !== 'NOT_FOUND' || !lines.hasTold) throw error;
    end = { reason: 'agent_removed', detail: 'its host has no agent of that name any more' };
  }
  return end;
};

const sinkFor = ({ stdout, stderr, flags, signal }: CommandContext, address: string): LineSink => {
  const asLine =
    flags.output === 'ndjson'
      ? (line: string) => jsonText({ schema: LINES_SCHEMA, event: 'line', address, line })
      : String;
  return {
    lines: (lines) => writeAll(stdout, linesOf(lines.map(asLine)), signal),
    notice: (text) => void stderr.write(`${cleanText(`fleet: ${text}`)}\n`),
  };
};

/** Which run that is over is asked for; 0: what is shown now. */
const runBack = ({ flags }: CommandContext): number => {
  const text = flags['last-run'] as string | undefined;
  if (text !== undefined && !/^[1-9]\d{0,2}$/.test(text)) {
    throw new UsageError(`--last-run=${text}: 1 is the last run that is over, 2 the one before`);
  }
  const isOver = text !== undefined || flags.runs === true;
  if (isOver && flags.follow === true) throw new UsageError('a run that is over cannot be followed: leave -f out');
  if (text !== undefined && flags.runs === true)
    throw new UsageError('--runs lists them, --last-run shows one: not both');
  if (!isOver && flags.output === 'json') {
    throw new UsageError('-o json is for --last-run and --runs; lines as they come are -o ndjson');
  }
  return Number(text ?? 0);
};

/** None asked for leaves it to the host. */
const atLeastOne = (count: number): number => Math.max(1, count);

const lineCount = (text: string): number => {
  const count = Number(text);
  if (/^\d+$/.test(text) && count <= MAX_LINES) return count;
  throw new UsageError(`-n ${text}: a whole number from 0 to ${MAX_LINES}`);
};
