/** The screen as it is now, once: plain text, with our own colours, or one JSON object. */
import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { ScreenPicture } from '../../screen/screen-log.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { linesOf, writeAll } from '../output.ts';
import { jsonText } from '../render/json.ts';
import { painterFor, plain } from '../render/paint.ts';
import { cropRow, rowText } from './crop-row.ts';
import { RowPen } from './row-pen.ts';
import { SCREEN_SCHEMA, screenObject, spansOf, statusObject } from './screen-json.ts';
import { currencyWords, isCurrent } from './view-words.ts';
import type { WatchedAgent } from './watched-agent.ts';

const FIRST_FRAME_MS = 10_000;

/**
 * Gives the exit code: a picture that is not what the screen shows now is shown, and said to be none. Throws
 * DEADLINE_EXCEEDED when no frame comes in time, or what ended the view before.
 */
export const showOnce = async (context: CommandContext, agent: WatchedAgent): Promise<number> => {
  const { stdout, stderr, env, signal } = context;
  await firstFrame(agent, signal);
  const picture = agent.picture as ScreenPicture;
  const isColoured = painterFor(stdout, env) !== plain;
  const form = context.flags.output ?? (isColoured ? 'ansi' : 'text');
  await writeAll(stdout, linesOf(lines(agent, picture, form as string, env)), signal);
  const now = systemClock.monotonicMs();
  if (isCurrent(agent, now)) return EXIT.done;
  stderr.write(`${cleanText(`${agent.address}: as last seen: ${currencyWords(agent, now)}`)}\n`);
  return EXIT.unreachable;
};

const lines = (agent: WatchedAgent, picture: ScreenPicture, form: string, env: NodeJS.ProcessEnv): string[] => {
  if (form === 'json' || form === 'ndjson') {
    const { address } = agent;
    const status = statusObject(agent, systemClock.monotonicMs());
    return [jsonText({ schema: SCREEN_SCHEMA, address, ...screenObject(picture), spans: spansOf(picture), status })];
  }
  if (form === 'text') return picture.rows.map(rowText);
  return picture.rows.map((spans) => {
    const pen = new RowPen(null, { colour: !env.NO_COLOR, faded: false });
    for (const { piece, look } of cropRow(spans, 0, picture.width)) pen.put(piece, look);
    return pen.finish();
  });
};

const firstFrame = async (agent: WatchedAgent, signal: AbortSignal): Promise<void> => {
  const seen = new AbortController();
  const late = AbortSignal.timeout(FIRST_FRAME_MS);
  using _listening = agent.onChange(() => {
    // A line that is down is told with its reason instead of waited for.
    if (agent.picture || agent.connection.state === 'broken') seen.abort();
  });
  await agent.run(AbortSignal.any([seen.signal, late, signal]));
  if (agent.picture) return;
  signal.throwIfAborted();
  if (agent.connection.state === 'broken') throw new FleetError('UNAVAILABLE', agent.connection.reason);
  if (agent.end) throw new FleetError('NOT_FOUND', `${agent.address} ended before its screen was read`);
  throw new FleetError(
    'DEADLINE_EXCEEDED',
    `${agent.address}: no screen came within ${FIRST_FRAME_MS / 1_000} s; fleet explain says what is known of it`,
  );
};
