import { EVERYTHING } from '../../domain/agent-filter.ts';
import { cleanText } from '../../domain/clean-text.ts';
import { isAsDesired, planDesired } from '../../domain/desired-plan.ts';
import { systemClock } from '../../runtime/clock.ts';
import { takeSnapshot } from '../client/snapshot.ts';
import type { ViewMirror } from '../client/view-mirror.ts';
import type { CommandContext } from '../command.ts';
import { diffScope } from '../desired/diff-scope.ts';
import { heldPlaces, readOwnFiles } from '../desired/held-places.ts';
import { isWhole, planObject } from '../desired/plan-json.ts';
import { planCounts, planLines } from '../desired/plan-lines.ts';
import { readDesired } from '../desired/read-desired.ts';
import { EXIT } from '../exit-codes.ts';
import { linesOf, writeAll } from '../output.ts';
import { takePicture } from '../picture.ts';
import { fine } from '../render/duration.ts';
import { jsonText } from '../render/json.ts';
import { localOnlyLine } from '../render/notes.ts';
import { painterFor } from '../render/paint.ts';

/** As diff(1) has it. */
const DIFFERS = EXIT.failed;

export const run = async ({ flags, paths, env, stdout, stderr, signal }: CommandContext): Promise<number> => {
  const say = (line: string): void => void stderr.write(`${cleanText(line)}\n`);
  const hosts = Array.isArray(flags.host) ? flags.host : [];
  const desired = await readDesired(flags.file as string | undefined, paths.mosaicHome);
  const { agents } = desired.roster;
  const localOnly = desired.isOwn && hosts.length === 0;
  const mirror = await takeSnapshot(paths, { localOnly, hostsOnly: false, clock: systemClock, signal });
  const now = systemClock.monotonicMs();
  const here = agentsHere(mirror, now);
  const names = agents.map(({ name }) => name).filter((name) => here.has(name));
  // The roster in force against itself would differ in nothing: what its host-agent made of it is in the rows.
  const own = await readOwnFiles(paths.mosaicHome, { roster: !desired.isOwn, names });
  const places = heldPlaces(mirror, now, own);
  const picture = takePicture(mirror, now, { filter: EVERYTHING, localOnly, compare: null });
  const scope = diffScope(agents, places, { hosts, isOwn: desired.isOwn }, picture);
  const plan = planDesired(scope.wanted, places, scope);

  const warning = localOnlyLine(picture);
  if (warning) say(warning);
  for (const note of [...desired.notes, ...own.notes]) say(note);
  const isCurrent = (id: string): boolean => mirror.momentOf(id, now)?.current ?? false;
  const context = { cell: mirror.cell, roster: desired.path, isCurrent };
  const lines =
    flags.output === 'json'
      ? [jsonText(planObject(plan, context))]
      : planLines(plan, (id) => lastSeen(mirror, id, now), painterFor(stdout, env));
  await writeAll(stdout, linesOf(lines), signal);
  if (flags.output !== 'json') say([planCounts(plan), ...leftOut(scope.passedOver)].join(' · '));
  if (!isWhole(plan, isCurrent)) return EXIT.partial;
  return isAsDesired(plan) ? EXIT.done : DIFFERS;
};

const agentsHere = (mirror: ViewMirror, now: number): Set<string> => {
  const id = [...mirror.hostAgentIds()].find((each) => mirror.momentOf(each, now)?.host.here);
  return new Set(id === undefined ? [] : Array.from(mirror.rowsOf(id), ({ row }) => row.agent));
};

const lastSeen = (mirror: ViewMirror, id: string, now: number): string | null => {
  const moment = mirror.momentOf(id, now);
  if (!moment || moment.current) return null;
  return `${moment.link.state}: as last seen ${fine(moment.observedAgeSeconds)} ago`;
};

const leftOut = (count: number): string[] =>
  count === 0 ? [] : [`${count} of other hosts left out: --host HOST compares them`];
