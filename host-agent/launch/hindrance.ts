/** Why an agent could not start here and now, in plain words; whatever runs of it is put aside. Changes nothing. */
import type { RosterAgent } from '../../src/domain/roster.ts';
import type { LaunchGround } from './launch-paths.ts';
import { lookAtTmux, preflight } from './preflight.ts';
import { readAgent } from './read-launch.ts';
import { unitEnvironment } from './unit-environment.ts';

/** null: nothing is known against it. `freed`: the socket that its env file names is taken out of it first. */
export const hindranceNow = async (entry: RosterAgent, ground: LaunchGround, freed = false): Promise<string | null> => {
  const { agent: read, problems } = await readAgent(entry, ground, await unitEnvironment(process.env));
  const agent = freed ? { ...read, socket: entry.socketName } : read;
  const { problem } = await lookAtTmux(agent.path, ground.home);
  const looked = await preflight(agent, { ground, starting: false, tmuxProblem: problem });
  const all = [...problems, ...looked.problems];
  return all.length === 0 ? null : all.map(({ words }) => words).join('; ');
};
