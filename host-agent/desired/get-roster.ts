/**
 * The roster that this host-agent goes by, as it lies on disk now, and what outranks it. Of env files only the variables
 * leave this host that a roster has keys for: others may be secrets.
 */
import { join } from 'node:path';
import { FleetError } from '../../src/domain/errors.ts';
import { OVERRIDING_VARIABLES } from '../../src/domain/overrides.ts';
import type { Roster } from '../../src/domain/roster.ts';
import { rosterDigest } from '../../src/roster/digest.ts';
import { parseEnvFile } from '../../src/roster/env-file.ts';
import { parseRoster } from '../../src/roster/parse.ts';
import { findRoster } from '../../src/roster/roster-file.ts';
import { readFileText } from '../../src/runtime/read-file.ts';
import type { AgentEnv, GetRosterResponse } from '../../src/wire/gen/fleet/v1/roster.ts';
import type { OwnCalls } from '../calls/own-calls.ts';

const MAX_ENV_BYTES = 64 * 1024;
/** Of one answer, with room for its frame and the overrides. */
export const MAX_ROSTER_BYTES = 448 * 1024;

/** Read from the disk, not remembered. */
const NOW = { asOfMs: 0, stored: false };

export interface GetRosterOptions {
  mosaicHome: string;
  /** What this host is, against that roster. */
  standing(roster: Roster): Promise<RosterStanding>;
}

export type RosterStanding = Pick<GetRosterResponse, 'undeployed' | 'orphans' | 'operatorUnits' | 'leftOver'>;

/** Of a roster that cannot be read nobody knows whom it names. */
const NO_STANDING: RosterStanding = { undeployed: [], orphans: [], operatorUnits: [], leftOver: [] };

export const getRoster =
  ({ mosaicHome, standing }: GetRosterOptions): OwnCalls['getRoster'] =>
  async () => {
    const { path, file } = await findRoster(mosaicHome);
    if (file.kind === 'missing') {
      return { path, text: '', digest: '', problem: '', env: [], ...NO_STANDING, ...NOW };
    }
    if (file.kind === 'unreadable') throw new FleetError('FAILED_PRECONDITION', `${path}: ${file.words}`);
    const { text } = file;
    if (Buffer.byteLength(text) > MAX_ROSTER_BYTES) {
      const words = `${path} is larger than ${MAX_ROSTER_BYTES} bytes: it can only be read on its host`;
      throw new FleetError('RESOURCE_EXHAUSTED', words);
    }
    const { roster, problem } = parseRoster(text, path);
    const env = await Promise.all((roster?.agents ?? []).map(({ name }) => overridingEnv(mosaicHome, name)));
    return {
      path,
      text,
      digest: rosterDigest(text),
      problem: problem ?? '',
      env: env.filter(({ variables }) => Object.keys(variables).length > 0),
      ...(roster === null ? NO_STANDING : await standing(roster)),
      ...NOW,
    };
  };

const overridingEnv = async (mosaicHome: string, agent: string): Promise<AgentEnv> => {
  const path = join(mosaicHome, 'fleet/agents', `${agent}.env`);
  const file = await readFileText(path, { maxBytes: MAX_ENV_BYTES, followLinks: true });
  const values = file.kind === 'text' ? parseEnvFile(file.text, path).values : new Map<string, string>();
  return { agent, variables: Object.fromEntries([...values].filter(([name]) => OVERRIDING_VARIABLES.has(name))) };
};
