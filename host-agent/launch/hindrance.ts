/** Why an agent could not start now, in plain words, as a preflight would find it. Changes nothing. */
import type { RosterAgent } from '../../src/domain/roster.ts';
import type { LaunchGround } from './launch-paths.ts';
import { type Finding, lookAtTmux, preflight } from './preflight.ts';
import { readAgent } from './read-launch.ts';
import { unitEnvironment } from './unit-environment.ts';

/** By its entry as it stands, and whatever runs of it now put aside. */
export const hindranceNow = async (entry: RosterAgent, ground: LaunchGround): Promise<string | null> => {
  const { agent, problems } = await readAgent(entry, ground, await unitEnvironment(process.env));
  const { problem } = await lookAtTmux(agent.path, ground.home);
  const looked = await preflight(agent, { ground, starting: false, tmuxProblem: problem });
  return wordsOf([...problems, ...looked.problems]);
};

const wordsOf = (problems: readonly Finding[]): string | null =>
  problems.length === 0 ? null : problems.map(({ words }) => words).join('; ');
