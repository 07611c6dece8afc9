/**
 * Flags that only newer versions of a runtime take: another one would end at once on a flag that it does not know. Comes in:
 * an agent resolved. Goes out: the same, its command with those of them that the program's own help names.
 */
import { exec } from '../../src/runtime/exec.ts';
import type { ResolvedAgent } from './resolve-agent.ts';
import { findProgram } from './search-path.ts';

const HELP_MS = 5_000;

export const withTakenFlags = async (agent: ResolvedAgent, home: string): Promise<ResolvedAgent> => {
  const [name] = agent.programs;
  const program = agent.flagsIfTaken.length === 0 ? null : findProgram(name!, agent.path, home);
  if (program === null) return agent;
  const env = { PATH: agent.path, HOME: home };
  const { stdout } = await exec(program, ['--help'], { timeoutMs: HELP_MS, cleanEnv: true, env });
  const named = new Set(stdout.split(/[\s,=]+/));
  return { ...agent, command: [agent.command, ...agent.flagsIfTaken.filter((flag) => named.has(flag))].join(' ') };
};
