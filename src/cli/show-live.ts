/** A view kept current: redrawn in place on a terminal, one JSON object a line elsewhere. Ends when the person leaves. */
import { FRESH_MS } from '../domain/link.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { ChangeFeed } from './change-feed.ts';
import { hostAgentEndpoint } from './client/endpoints.ts';
import { LiveView } from './client/live-view.ts';
import type { CommandContext } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { followLive } from './live-loop.ts';
import { linesOf, writeAll } from './output.ts';
import { takePicture } from './picture.ts';
import { fine } from './render/duration.ts';
import { localOnlyLine } from './render/notes.ts';
import { Screen } from './render/screen.ts';
import { tableOptions, type ViewKind } from './show-view.ts';
import type { ViewRequest } from './view-request.ts';

export const showLive = async (context: CommandContext, kind: ViewKind, request: ViewRequest): Promise<number> => {
  const live = new LiveView({
    endpoint: hostAgentEndpoint(context.paths),
    localOnly: request.localOnly,
    hostsOnly: kind.hostsOnly,
    clock: systemClock,
  });
  await (request.mode === 'feed' ? feed(context, live, request) : draw(context, live, kind, request));
  return EXIT.done;
};

const feed = async ({ stdout, signal }: CommandContext, live: LiveView, request: ViewRequest): Promise<void> => {
  const changes = new ChangeFeed(live, request);
  await followLive(live, signal, async () => {
    await writeAll(stdout, linesOf(changes.lines(systemClock.monotonicMs())), signal).catch(unlessAborted(signal));
  });
};

const unlessAborted =
  (signal: AbortSignal) =>
  (error: unknown): void => {
    if (!signal.aborted) throw error;
  };

const draw = async (context: CommandContext, live: LiveView, kind: ViewKind, request: ViewRequest): Promise<void> => {
  const left = new AbortController();
  using screen = new Screen(context.stdout, context.stdin);
  const show = async (): Promise<void> => {
    const picture = takePicture(live.mirror, systemClock.monotonicMs(), request);
    const [header = '', ...body] = kind.table(picture, tableOptions(context, request.form));
    const whose = context.paths.context === null ? 'host-agent of this machine' : 'controller';
    const above = [silenceLine(whose, live, systemClock), localOnlyLine(picture)].filter((line) => line !== null);
    screen.open();
    screen.draw({ above: [...above, header], body, below: kind.footer(picture) });
  };
  const signal = AbortSignal.any([context.signal, left.signal]);
  await followLive(live, signal, show, (ask) => screen.onKeys({ leave: () => left.abort(), redraw: ask }));
};

/** Said when the teller itself has gone: nothing on the screen is confirmed then. */
const silenceLine = (whose: string, { mirror, connection }: LiveView, clock: Clock): string | null => {
  const silentMs = mirror.silentMs(clock.monotonicMs());
  if (connection.state !== 'broken' && silentMs <= FRESH_MS) return null;
  const reason = connection.state === 'broken' ? ` (${connection.reason})` : '';
  return `NOT CURRENT: the ${whose} is silent for ${fine(silentMs / 1000)}${reason}; trying again`;
};
