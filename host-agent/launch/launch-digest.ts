/**
 * What a launch is made from, as one digest: two that differ are two launches, whatever the launcher is that makes them.
 * What only the machine decides (PATH, where a program was found) has no part in it.
 */
import { createHash } from 'node:crypto';
import { declaredFields, isBakedAtLaunch } from '../../src/domain/declared-fields.ts';
import type { RosterAgent } from '../../src/domain/roster.ts';
import { parseEnvFile } from '../../src/roster/env-file.ts';
import { homePath } from '../../src/runtime/home-path.ts';
import { readFileText } from '../../src/runtime/read-file.ts';
import { agentLaunchPaths, envFile, type LaunchGround } from './launch-paths.ts';

const LIMITS = { maxBytes: 64 * 1024, followLinks: true } as const;
const DIGEST = /^[0-9a-f]{64}$/;

/** From disk, at this moment: the entry, its env file, and the file of its secrets, of which the digest tells nothing. */
export const launchDigestNow = async (agent: RosterAgent, ground: LaunchGround): Promise<string> => {
  const secrets = agent.envFile ? homePath(agent.envFile, ground.home) : null;
  const files = await Promise.all([envFile(ground, agent.name), secrets].map(valuesOf));
  const fields = Object.entries(declaredFields(agent)).filter(([field]) => isBakedAtLaunch(field));
  return createHash('sha256')
    .update(JSON.stringify([fields, ...files].map((each) => each.toSorted(byName))))
    .digest('hex');
};

/** As the agent's last launch left it; null: it never had one. */
export const launchDigestThen = async (ground: Pick<LaunchGround, 'state'>, agent: string): Promise<string | null> => {
  const file = await readFileText(agentLaunchPaths(ground, agent).digest, { ...LIMITS, followLinks: false });
  const said = file.kind === 'text' ? file.text.trim() : '';
  return DIGEST.test(said) ? said : null;
};

const valuesOf = async (path: string | null): Promise<[string, string][]> => {
  const file = path === null ? null : await readFileText(path, LIMITS);
  return file?.kind === 'text' ? [...parseEnvFile(file.text, path as string).values] : [];
};

const byName = ([a]: readonly unknown[], [b]: readonly unknown[]): number => (String(a) < String(b) ? -1 : 1);
