/**
 * Comes in: a view, and what is known of rosters and env files. Goes out: what each (host, user) of this cell has. Rows tell
 * five fields of a roster; where the roster itself is known, it tells all.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { HeldPlace, Undeployed } from '../../domain/desired-plan.ts';
import type { Place } from '../../domain/placement.ts';
import type { RosterAgent } from '../../domain/roster.ts';
import { parseEnvFile } from '../../roster/env-file.ts';
import { parseRoster } from '../../roster/parse.ts';
import { findRoster } from '../../roster/roster-file.ts';
import { readFileText } from '../../runtime/read-file.ts';
import type { ViewMirror } from '../client/view-mirror.ts';

const MAX_ENV_BYTES = 64 * 1024;

/** What the files of one (host, user) say. */
export interface PlaceFiles {
  /** null: nothing that could be read, or that need be. */
  roster: readonly RosterAgent[] | null;
  env: ReadonlyMap<string, ReadonlyMap<string, string>>;
  undeployed?: ReadonlyMap<string, Undeployed>;
  orphans?: readonly string[];
  operatorUnits?: ReadonlySet<string>;
}

export interface OwnFiles extends PlaceFiles {
  notes: string[];
}

/** `roster` says whether the roster is wanted too; `names` whose env files are. */
export const readOwnFiles = async (
  mosaicHome: string,
  { roster, names }: { roster: boolean; names: Iterable<string> },
): Promise<OwnFiles> => {
  const own = roster ? await readOwnRoster(mosaicHome) : { agents: null, notes: [] };
  const env = new Map<string, ReadonlyMap<string, string>>();
  const { notes } = own;
  for (const name of names) {
    const path = join(mosaicHome, 'fleet/agents', `${name}.env`);
    const file = await readFileText(path, { maxBytes: MAX_ENV_BYTES, followLinks: true });
    if (file.kind === 'unreadable') notes.push(`${path}: ${file.words}`);
    if (file.kind !== 'text') continue;
    const { values, problem } = parseEnvFile(file.text, path);
    env.set(name, values);
    if (problem !== null) notes.push(problem);
  }
  return { roster: own.agents, env, notes };
};

const readOwnRoster = async (mosaicHome: string): Promise<{ agents: RosterAgent[] | null; notes: string[] }> => {
  const { path, file } = await findRoster(mosaicHome);
  if (file.kind === 'missing') return { agents: null, notes: [] };
  const { roster, problem } =
    file.kind === 'text' ? parseRoster(file.text, path) : { roster: null, problem: `${path}: ${file.words}` };
  const notes = problem === null ? [] : [`the roster in force cannot be read: ${problem}`];
  return { agents: roster?.agents ?? null, notes };
};

/** Hosts of other cells are left out: no roster of ours reaches them. */
export const placesOf = (mirror: ViewMirror, nowMono: number): (Place & { cell: string; current: boolean })[] =>
  [...mirror.hostAgentIds()].flatMap((id) => {
    const moment = mirror.momentOf(id, nowMono);
    if (!moment || moment.host.cell !== mirror.cell) return [];
    const { cell, host, user, tenantId, here } = moment.host;
    return [{ id, cell, host, user, tenantId, here, alsoCalled: here ? [hostname()] : [], current: moment.current }];
  });

/** By id of the place; what is not there is known by its rows only. */
export const heldPlaces = (mirror: ViewMirror, nowMono: number, files: ReadonlyMap<string, PlaceFiles>): HeldPlace[] =>
  placesOf(mirror, nowMono).map(({ cell: _, current: __, ...place }) => {
    const known = files.get(place.id);
    const rows = Array.from(mirror.rowsOf(place.id), ({ row }) => row);
    return {
      ...place,
      rows,
      roster: known ? ownAgents(known.roster, place) : null,
      env: known?.env ?? null,
      ...standingOf(known),
    };
  });

const standingOf = (known: PlaceFiles | undefined): Pick<HeldPlace, 'undeployed' | 'orphans' | 'operatorUnits'> =>
  known?.undeployed === undefined
    ? {}
    : {
        undeployed: known.undeployed,
        orphans: known.orphans ?? [],
        operatorUnits: known.operatorUnits ?? new Set(),
      };

/** Of a roster that lies there: its entries for others are none of its agents. */
export const isAgentOf = (agent: RosterAgent, { host, user, alsoCalled }: Place): boolean =>
  (agent.host === null || agent.host === host || alsoCalled.includes(agent.host)) &&
  (agent.user === null || agent.user === user);

const ownAgents = (agents: PlaceFiles['roster'], place: Place): Map<string, RosterAgent> | null =>
  agents === null
    ? null
    : new Map(agents.filter((agent) => isAgentOf(agent, place)).map((agent) => [agent.name, agent]));
