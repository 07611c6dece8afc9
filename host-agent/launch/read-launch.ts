/**
 * What a start is made of, read from disk at this moment: the roster, the agent's env file, the file of its secrets. Goes
 * out: the agent resolved, or why not, in one line. Never writes.
 */
import { statSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import type { RosterAgent } from '../../src/domain/roster.ts';
import { parseEnvFile } from '../../src/roster/env-file.ts';
import { parseRoster } from '../../src/roster/parse.ts';
import { findRoster } from '../../src/roster/roster-file.ts';
import { homePath } from '../../src/runtime/home-path.ts';
import { readFileText } from '../../src/runtime/read-file.ts';
import { envFile, type LaunchGround } from './launch-paths.ts';
import type { Finding } from './preflight-file.ts';
import { type LaunchHere, type ResolvedAgent, resolveAgent, rosterAgent } from './resolve-agent.ts';
import { withTakenFlags } from './taken-flags.ts';

const MAX_ENV_BYTES = 64 * 1024;
const MAX_IDENTITY_BYTES = 1024 * 1024;
/** Others may read it: group or world. */
const OPEN = 0o077;

export type ReadLaunch =
  | { kind: 'read'; agent: ResolvedAgent; entry: RosterAgent; problems: Finding[]; warnings: Finding[] }
  /** The roster is there and says nothing that can be read: not that the agent is gone. */
  | { kind: 'roster-broken'; words: string }
  | { kind: 'not-in-roster'; words: string };

export const readLaunch = async (name: string, ground: LaunchGround, own: NodeJS.ProcessEnv): Promise<ReadLaunch> => {
  const { path, file } = await findRoster(ground.mosaicHome);
  if (file.kind === 'missing') return { kind: 'not-in-roster', words: `there is no roster at ${path}` };
  if (file.kind === 'unreadable') return { kind: 'roster-broken', words: `${path}: ${file.words}` };
  const { roster, problem } = parseRoster(file.text, path);
  if (roster === null) return { kind: 'roster-broken', words: problem };
  const agent = rosterAgent(roster, name, await launchHere(ground));
  if (agent === null) return { kind: 'not-in-roster', words: `${path} names no agent ${name} of this host` };
  return { kind: 'read', entry: agent, ...(await readAgent(agent, ground, own)) };
};

/** The name is the host-agent's, which keeps it beside its certificate. */
const launchHere = async ({ state }: LaunchGround): Promise<LaunchHere> => {
  const identity = await readFileText(join(state, 'host-agent/identity.json'), {
    maxBytes: MAX_IDENTITY_BYTES,
    followLinks: false,
  });
  const [, enrolledAs = null] = (identity.kind === 'text' && /"host":\s*"([^"\\]+)"/.exec(identity.text)) || [];
  return { enrolledAs, machine: hostname(), user: userInfo().username };
};

/** The same for an entry that is known already. */
export const readAgent = async (
  agent: RosterAgent,
  ground: LaunchGround,
  own: NodeJS.ProcessEnv,
): Promise<{ agent: ResolvedAgent; problems: Finding[]; warnings: Finding[] }> => {
  const problems: Finding[] = [];
  const warnings: Finding[] = [];
  const path = envFile(ground, agent.name);
  const written = await readFileText(path, { maxBytes: MAX_ENV_BYTES, followLinks: true });
  const file =
    written.kind === 'text' ? parseEnvFile(written.text, path) : { values: new Map<string, string>(), problem: null };
  if (written.kind === 'unreadable') problems.push({ code: 'env-file', words: `${path} ${written.words}` });
  if (file.problem !== null) warnings.push({ code: 'env-file', words: file.problem });
  const secrets = await readSecrets(agent, ground.home, problems, warnings);
  const resolved = resolveAgent(agent, { file: file.values, secrets, own }, ground);
  return { agent: await withTakenFlags(resolved, ground.home), problems, warnings };
};

const readSecrets = async (
  { envFile: written }: RosterAgent,
  home: string,
  problems: Finding[],
  warnings: Finding[],
): Promise<ReadonlyMap<string, string>> => {
  if (!written) return new Map();
  const path = homePath(written, home);
  const file = await readFileText(path, { maxBytes: MAX_ENV_BYTES, followLinks: true });
  if (file.kind !== 'text') {
    const why = file.kind === 'missing' ? 'is not there' : file.words;
    problems.push({ code: 'secrets', words: `its env_file ${path} ${why}` });
    return new Map();
  }
  if (((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & OPEN) !== 0)
    warnings.push({ code: 'secrets', words: `others may read its env_file: chmod 600 ${path}` });
  const { values, problem } = parseEnvFile(file.text, path);
  if (problem !== null) warnings.push({ code: 'secrets', words: problem });
  return values;
};
