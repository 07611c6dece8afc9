/** Why an agent could not start here and now, in plain words; whatever runs of it is put aside. Changes nothing. */
import type { RosterAgent } from '../../src/domain/roster.ts';
import type { LaunchGround } from './launch-paths.ts';
import { lookAtTmux, preflight } from './preflight.ts';
import { readAgent } from './read-launch.ts';
import { unitEnvironment } from './unit-environment.ts';

/** null: nothing is known against it. */
export const hindranceNow = async (entry: RosterAgent, ground: LaunchGround): Promise<string | null> => {
  const { agent, problems } = await readAgent(entry, ground, await unitEnvironment(process.env));
  const { problem } = await lookAtTmux(agent.path, ground.home);
  const looked = await preflight(agent, { ground, starting: false, tmuxProblem: problem });
  const all = [...problems, ...looked.problems];
  return all.length === 0 ? null : all.map(({ words }) => words).join('; ');
};
