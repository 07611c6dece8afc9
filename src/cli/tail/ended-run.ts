/** What an agent showed before it ended, from the flight recorder of its host: one run, or the list of those kept. */
import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import type { EndedRun } from '../../wire/gen/fleet/v1/terminal.ts';
import { hostAgentEndpoint } from '../client/endpoints.ts';
import { GrpcChannel } from '../client/grpc-channel.ts';
import { tailTerminal } from '../client/terminal-methods.ts';
import type { CommandContext } from '../command.ts';
import { linesOf, writeAll } from '../output.ts';
import { jsonText } from '../render/json.ts';
import type { LocatedAgent } from '../watch/locate.ts';
import { LINES_SCHEMA } from '../watch/screen-json.ts';
import { endedWords, runObject } from './run-words.ts';

const RUN_SCHEMA = 'fleet.run/v1';
const DEADLINE_MS = 10_000;
const ALL_LINES = 10_000;

interface RunRead {
  run: EndedRun;
  lines: string[];
}

/** `back`: 1 is the last one; `count` null: all that were kept. */
export const tellRun = async (
  context: CommandContext,
  agent: LocatedAgent,
  { back, count }: { back: number; count: number | null },
): Promise<void> => {
  const { flags, stdout, stderr, signal } = context;
  const read = await readRun(context, agent, back, count ?? ALL_LINES);
  const lines = count === 0 ? [] : read.lines.map(cleanText);
  const { address } = agent;
  if (flags.output === 'json') {
    const object = { schema: RUN_SCHEMA, address, ...runObject(back, read.run), lines };
    return await writeAll(stdout, linesOf([jsonText(object)]), signal);
  }
  const isText = flags.output === 'text';
  const asked = lines.map((line) => (isText ? line : jsonText({ schema: LINES_SCHEMA, event: 'line', address, line })));
  await writeAll(stdout, linesOf(asked), signal);
  if (!isText) {
    const end = { schema: LINES_SCHEMA, event: 'end', address, ...runObject(back, read.run) };
    await writeAll(stdout, linesOf([jsonText(end)]), signal);
  }
  stderr.write(`${cleanText(`${address}: ${endedWords(back, read.run)}`)}\n`);
};

/** Newest first, one a line. */
export const listRuns = async (context: CommandContext, agent: LocatedAgent): Promise<void> => {
  const { flags, stdout, signal } = context;
  const { address } = agent;
  const runs: EndedRun[] = [];
  for (let kept = 1; runs.length < kept; ) {
    const { run } = await readRun(context, agent, runs.length + 1, 1);
    runs.push(run);
    kept = run.kept;
  }
  const objects = runs.map((run, index) => runObject(index + 1, run));
  const texts =
    flags.output === 'json'
      ? [jsonText({ schema: 'fleet.runs/v1', address, runs: objects })]
      : flags.output === 'ndjson'
        ? objects.map((object) => jsonText({ schema: RUN_SCHEMA, address, ...object }))
        : runs.map((run, index) => cleanText(endedWords(index + 1, run)));
  await writeAll(stdout, linesOf(texts), signal);
};

const readRun = async (
  { paths, signal }: CommandContext,
  { address, place }: LocatedAgent,
  back: number,
  count: number,
): Promise<RunRead> => {
  using channel = new GrpcChannel(hostAgentEndpoint(paths));
  const request = { ...place, lines: Math.max(1, count), follow: false, lastRun: back };
  const lines: string[] = [];
  let run: EndedRun | null = null;
  for await (const message of channel.stream(tailTerminal, request, { deadlineMs: DEADLINE_MS, signal })) {
    // An older host-agent passes over what it does not know, and tells what is shown now.
    run ??= message.run ?? null;
    if (run === null) break;
    lines.push(...message.lines);
  }
  if (run !== null) return { run, lines };
  throw new FleetError(
    'UNIMPLEMENTED',
    `the host-agent of ${address} is too old to keep ended runs: fleet host upgrade`,
  );
};
