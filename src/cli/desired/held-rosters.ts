/** The rosters that host-agents go by, and what outranks them, asked of each (host, user) now and of all at once. */
import type { Undeployed } from '../../domain/desired-plan.ts';
import { FleetError } from '../../domain/errors.ts';
import type { RosterAgent } from '../../domain/roster.ts';
import { parseRoster } from '../../roster/parse.ts';
import { RosterText } from '../../roster/roster-text.ts';
import type { Paths } from '../../runtime/paths.ts';
import type { GetRosterResponse } from '../../wire/gen/fleet/v1/roster.ts';
import { getRoster } from '../client/order-methods.ts';
import { orderLine } from '../orders/order-line.ts';

const DEADLINE_MS = 10_000;
/** Of one whose place on its host is not known. */
const STORED_NAME = 'roster.yaml';

export interface HeldRoster {
  /** Where it is on its host, or would be. */
  path: string;
  /** null: there is no file. */
  text: RosterText | null;
  digest: string;
  /** `file:line:column: words`, where it cannot be read as a roster. */
  problem: string | null;
  version: 1 | 2 | null;
  /** In the order of the file, those of other places too; null where it cannot be read. */
  agents: readonly RosterAgent[] | null;
  env: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** `moves`: only a migration deploys it. */
  undeployed: ReadonlyMap<string, Undeployed & { moves: boolean }>;
  orphans: readonly string[];
  operatorUnits: ReadonlySet<string>;
  /** In no roster there, and back at the next boot by units of their operator's. */
  leftOver: readonly string[];
  /** The host is away: what was last applied there through the controller. */
  stored: boolean;
}

export interface AskedPlace {
  id: string;
  here: boolean;
  cell: string;
}

/** Why one did not answer stands in its place. Rejects only when the person left. */
export const askRosters = async (
  paths: Paths,
  places: readonly AskedPlace[],
  signal: AbortSignal,
): Promise<Map<string, HeldRoster | FleetError>> => {
  const answers = await Promise.all(
    [true, false].map(async (here) => {
      const asked = places.filter((place) => place.here === here);
      const [first] = asked;
      if (first === undefined) return [];
      using channel = await orderLine(paths, first, signal);
      return await Promise.all(
        asked.map(async ({ id }): Promise<[string, HeldRoster | FleetError]> => {
          try {
            const call = { deadlineMs: DEADLINE_MS, signal };
            return [id, heldRoster(await channel.unary(getRoster, { hostAgent: id }, call))];
          } catch (error) {
            if (signal.aborted || !(error instanceof FleetError)) throw error;
            return [id, error];
          }
        }),
      );
    }),
  );
  return new Map(answers.flat());
};

const heldRoster = ({
  path,
  text,
  digest,
  problem,
  env,
  stored,
  undeployed,
  orphans,
  operatorUnits,
  leftOver,
}: GetRosterResponse): HeldRoster => {
  const written = digest === '' ? null : new RosterText(text);
  const read = written !== null && problem === '' ? parseRoster(written, path) : null;
  return {
    path: path || STORED_NAME,
    stored,
    orphans,
    operatorUnits: new Set(operatorUnits),
    leftOver,
    text: written,
    digest,
    // A newer host may take what this version does not.
    problem: problem !== '' ? problem : (read?.problem ?? null),
    version: read?.roster?.version ?? null,
    agents: written === null ? [] : (read?.roster?.agents ?? null),
    undeployed: new Map(undeployed.map(({ agent, ...open }) => [agent, open])),
    env: new Map(env.map(({ agent, variables }) => [agent, new Map(Object.entries(variables))])),
  };
};
