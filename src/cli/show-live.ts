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
import { requireNamed, tableOptions, type ViewKind } from './show-view.ts';
import type { ViewRequest } from './view-request.ts';

export const showLive = async (context: CommandContext, kind: ViewKind, request: ViewRequest): Promise<number> => {
  const live = new LiveView({
    endpoint: hostAgentEndpoint(context.paths),
    localOnly: request.localOnly,
    hostsOnly: kind.hostsOnly,
    clock: systemClock,
  });
  const requireNamedOnce = atFirst(() => {
    requireNamed(live.mirror, takePicture(live.mirror, systemClock.monotonicMs(), request), request);
  });
  const show = request.mode === 'feed' ? feed : draw;
  await show(context, { live, kind, request, requireNamedOnce });
  return EXIT.done;
};

interface Showing {
  live: LiveView;
  kind: ViewKind;
  request: ViewRequest;
  /** Before anything is shown: what was named may leave later, and come back. */
  requireNamedOnce: () => void;
}

const atFirst = (check: () => void): (() => void) => {
  let isDone = false;
  return () => {
    if (!isDone) check();
    isDone = true;
  };
};

const feed = async (
  { stdout, signal }: CommandContext,
  { live, request, requireNamedOnce }: Showing,
): Promise<void> => {
  const changes = new ChangeFeed(live, request);
  await followLive(live, signal, async () => {
    requireNamedOnce();
    await writeAll(stdout, linesOf(changes.lines(systemClock.monotonicMs())), signal).catch(unlessAborted(signal));
  });
};

const unlessAborted =
  (signal: AbortSignal) =>
  (error: unknown): void => {
    if (!signal.aborted) throw error;
  };

const draw = async (context: CommandContext, { live, kind, request, requireNamedOnce }: Showing): Promise<void> => {
  const left = new AbortController();
  using screen = new Screen(context.stdout, context.stdin);
  const show = async (): Promise<void> => {
    requireNamedOnce();
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
