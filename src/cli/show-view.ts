/** A view shown once or kept current, in any form: what `ps` and `hosts` have in common. */
import { systemClock } from '../runtime/clock.ts';
import { takeSnapshot } from './client/snapshot.ts';
import type { ViewMirror } from './client/view-mirror.ts';
import type { CommandContext } from './command.ts';
import { EXIT } from './exit-codes.ts';
import { linesOf, writeAll } from './output.ts';
import { type Picture, takePicture } from './picture.ts';
import { localOnlyLine } from './render/notes.ts';
import { type Painter, painterFor } from './render/paint.ts';
import { showLive } from './show-live.ts';
import { checkNamedCells, checkNamedHosts, checkNamedTenants, type ViewRequest, viewRequest } from './view-request.ts';

/** How one kind of view looks in each form. */
export interface ViewKind {
  /** Rows of agents are not even asked for. */
  hostsOnly: boolean;
  table(picture: Picture, options: { width: number; wide: boolean; paint: Painter }): string[];
  footer(picture: Picture): string;
  json(picture: Picture): Iterable<string>;
  /** One object a line. */
  objects(picture: Picture): Iterable<string>;
  names(picture: Picture): Iterable<string>;
}

export const showView = async (context: CommandContext, kind: ViewKind): Promise<number> => {
  const request = viewRequest(context);
  if (request.mode === 'once') return showOnce(context, kind, request);
  return showLive(context, kind, request);
};

const showOnce = async (context: CommandContext, kind: ViewKind, request: ViewRequest): Promise<number> => {
  const { paths, signal, stdout, stderr } = context;
  const { localOnly, form } = request;
  const mirror = await takeSnapshot(paths, { localOnly, hostsOnly: kind.hostsOnly, clock: systemClock, signal });
  const picture = takePicture(mirror, systemClock.monotonicMs(), request);
  const warning = localOnlyLine(picture);
  if (warning) stderr.write(`${warning}\n`);
  requireNamed(mirror, picture, request);
  await writeAll(stdout, piecesOf(kind, picture, context, form), signal);
  if (form === 'table' || form === 'wide') stderr.write(`${kind.footer(picture)}\n`);
  return request.strict && !picture.complete ? EXIT.partial : EXIT.done;
};

/** Throws for a cell, a host or a tenant that was named and is not in the view (view-request.ts). */
export const requireNamed = (mirror: ViewMirror, picture: Picture, { filter }: ViewRequest): void => {
  const now = systemClock.monotonicMs();
  const agents = [...mirror.hostAgentIds()].flatMap((id) => mirror.momentOf(id, now)?.host ?? []);
  const peers = mirror.upstreamAt(now)?.peers ?? [];
  const cells = [...peers, ...agents].map(({ cell }) => cell);
  checkNamedCells(filter, picture, cells);
  checkNamedHosts(filter, picture, [...new Set(agents.map(({ host }) => host))]);
  checkNamedTenants(filter, picture, [...new Set(agents.map(({ tenantId }) => tenantId))]);
};

const piecesOf = (
  kind: ViewKind,
  picture: Picture,
  context: CommandContext,
  form: ViewRequest['form'],
): Iterable<string> => {
  switch (form) {
    case 'json':
      return kind.json(picture);
    case 'ndjson':
      return linesOf(kind.objects(picture));
    case 'name':
      return linesOf(kind.names(picture));
    default:
      return linesOf(kind.table(picture, tableOptions(context, form)));
  }
};

/** Only a terminal has a width; a pipe gets everything, and nothing is cut from what was asked for wide. */
export const tableOptions = (
  { stdout, env }: CommandContext,
  form: ViewRequest['form'],
): { width: number; wide: boolean; paint: Painter } => ({
  width: stdout.isTTY && form !== 'wide' ? stdout.columns || Number.POSITIVE_INFINITY : Number.POSITIVE_INFINITY,
  wide: form === 'wide',
  paint: painterFor(stdout, env),
});
