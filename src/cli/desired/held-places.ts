/**
 * Comes in: a view, and this user's own files. Goes out: what each (host, user) of this cell has. Rows tell five fields
 * of the roster; of this user here, who may read them, the roster and the env files tell all.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { HeldPlace } from '../../domain/desired-plan.ts';
import type { Place } from '../../domain/placement.ts';
import type { RosterAgent } from '../../domain/roster.ts';
import { parseEnvFile } from '../../roster/env-file.ts';
import { parseRoster } from '../../roster/parse.ts';
import { findRoster } from '../../roster/roster-file.ts';
import { readFileText } from '../../runtime/read-file.ts';
import type { ViewMirror } from '../client/view-mirror.ts';

const MAX_ENV_BYTES = 64 * 1024;

/** What this user's own files say. */
export interface OwnFiles {
  /** null: nothing that could be read, or that need be. */
  roster: readonly RosterAgent[] | null;
  env: ReadonlyMap<string, ReadonlyMap<string, string>>;
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
export const heldPlaces = (mirror: ViewMirror, nowMono: number, own: OwnFiles): HeldPlace[] =>
  [...mirror.hostAgentIds()].flatMap((id): HeldPlace[] => {
    const said = mirror.momentOf(id, nowMono)?.host;
    if (!said || said.cell !== mirror.cell) return [];
    const { host, user, tenantId, here } = said;
    const place: Place = { id, host, user, tenantId, here, alsoCalled: here ? [hostname()] : [] };
    const rows = Array.from(mirror.rowsOf(id), ({ row }) => row);
    return [{ ...place, rows, roster: here ? rosterOf(own, place) : null, env: here ? own.env : null }];
  });

const rosterOf = ({ roster }: OwnFiles, { host, user, alsoCalled }: Place): Map<string, RosterAgent> | null => {
  const isOurs = (agent: RosterAgent): boolean =>
    (agent.host === null || agent.host === host || alsoCalled.includes(agent.host)) &&
    (agent.user === null || agent.user === user);
  return roster === null ? null : new Map(roster.filter(isOurs).map((agent) => [agent.name, agent]));
};
