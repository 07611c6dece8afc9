import { cleanText } from '../../domain/clean-text.ts';
import type { WatchEventsResponse } from '../../wire/gen/fleet/v1/events.ts';
import { hostAgentEndpoint } from '../client/endpoints.ts';
import { watchEvents } from '../client/record-methods.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { linesOf, writeAll } from '../output.ts';
import { eventColumns, eventObject } from '../records/event-text.ts';
import { ExecEach } from '../records/exec-each.ts';
import { sinceMsOf } from '../records/record-flags.ts';
import { requireProgram } from '../records/require-program.ts';
import { runResumed } from '../records/resumed-stream.ts';
import { RunningTable } from '../records/running-table.ts';
import { splitWords } from '../records/split-words.ts';
import { jsonText } from '../render/json.ts';
import { painterFor } from '../render/paint.ts';
import { exitOfSignal } from '../watch/leaving.ts';

/** Of those that are not followed. */
const DEFAULT_SINCE_MS = 8 * 3_600_000;

export const run = async (context: CommandContext): Promise<number> => {
  const { paths, flags, stdout, stderr, env, signal } = context;
  const follow = flags.follow === true;
  const given = sinceMsOf(context);
  const sinceMs = given === 0 && !follow ? DEFAULT_SINCE_MS : given;
  const hosts = (flags.host as string[] | undefined) ?? [];
  const tell = (text: string): void => void stderr.write(`${text.trimEnd().split('\n').map(cleanText).join('\n')}\n`);
  const argv = flags.exec === undefined ? null : splitWords('exec', flags.exec as string);
  if (argv !== null) requireProgram('exec', argv[0], process.env);
  const programs = argv === null ? null : new ExecEach({ argv, tell, signal });
  const table = new RunningTable(
    eventColumns(follow, () => Date.now()),
    painterFor(stdout, env),
  );
  let revision = 0n;
  let source = '';
  const take = async (message: WatchEventsResponse): Promise<void> => {
    if (message.tooOld)
      tell(`fleet: too old: of the events after ${revision} only the last ones are kept; here they are`);
    if (message.source === 'host' && source !== 'host') tell(`LOCAL ONLY: ${LOCAL_WORDS}`);
    ({ revision, source } = message);
    const { events } = message;
    const lines = flags.output === 'ndjson' ? events.map((event) => jsonText(eventObject(event))) : table.lines(events);
    await writeAll(stdout, linesOf(lines), signal);
    for (const event of events) await programs?.give(jsonText(eventObject(event)));
  };
  await runResumed(
    {
      endpoint: hostAgentEndpoint(paths),
      method: watchEvents,
      // Where it was told anything by then it goes on from there, however long ago that was.
      request: () => ({ follow, afterRevision: revision, sinceMs, hosts }),
      onMessage: take,
      onBroken: (reason) => tell(`fleet: ${reason}; trying again`),
      follow,
    },
    signal,
  );
  await programs?.over();
  if (signal.aborted) return exitOfSignal(signal);
  return programs !== null && programs.failures > 0 ? EXIT.partial : EXIT.done;
};

const LOCAL_WORDS =
  'there is no controller, so events of this host alone, as they happen; none are kept (see them with -f)';
