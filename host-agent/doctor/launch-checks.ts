/**
 * Whether each agent of the roster could start again: its program on the PATH that its launch makes, its working directory,
 * its secrets. By the launcher's own eyes; nothing is started, and no word of a file of secrets is told.
 */
import { existsSync } from 'node:fs';
import type { RosterAgent } from '../../src/domain/roster.ts';
import type { Finding } from '../../src/wire/gen/fleet/v1/view.ts';
import { envFile, type LaunchGround, launcherProgram } from '../launch/launch-paths.ts';
import { preflight } from '../launch/preflight.ts';
import { readAgent } from '../launch/read-launch.ts';
import type { ResolvedAgent } from '../launch/resolve-agent.ts';
import { findProgram } from '../launch/search-path.ts';
import { unitEnvironment } from '../launch/unit-environment.ts';
import type { DiagnoseOptions } from './diagnose-options.ts';
import { failed, few, ok, warning } from './finding.ts';
import { launchMend } from './launch-mend.ts';

/** What has a check of its own is not said again for each agent. */
const TOLD_ELSEWHERE = new Set(['tmux', 'linger', 'roster']);

export const launches = async ({ inventory, config, home }: DiagnoseOptions): Promise<Finding[]> => {
  const names = new Set(inventory.rows.filter(({ managed }) => managed).map(({ agent }) => agent));
  const agents = (inventory.readings().roster.roster?.agents ?? []).filter(({ name }) => names.has(name));
  if (agents.length === 0) return [];
  const { state, share, mosaicHome, tmuxTmpdir } = config.paths;
  const ground: LaunchGround = { state, share, mosaicHome, tmuxTmpdir, home };
  const own = await unitEnvironment(process.env);
  const states = new Map(inventory.rows.map((row) => [row.agent, row.readiness]));
  const looked = await Promise.all(
    agents.map((agent) => lookAt(agent, states.get(agent.name) ?? 'unknown', ground, own)),
  );
  const found = looked.flatMap(({ findings }) => findings);
  const isolated = agents.filter(({ layout }) => layout === 'isolated').map(({ name }) => name);
  if (isolated.length > 0 && !existsSync(launcherProgram(ground))) {
    const what = `${launcherProgram(ground)} is not there: ${few(isolated)} cannot start`;
    found.push(failed('launcher', what, 'each start of their units begins with it', 'fleet up installs it'));
  }
  return [...programs(looked), ...found];
};

interface Looked {
  agent: ResolvedAgent;
  findings: Finding[];
}

const lookAt = async (
  entry: RosterAgent,
  readiness: string,
  ground: LaunchGround,
  own: NodeJS.ProcessEnv,
): Promise<Looked> => {
  const { agent, problems, warnings } = await readAgent(entry, ground, own);
  const before = await preflight(agent, { ground, starting: false, tmuxProblem: null });
  const told = ({ code }: { code: string }): boolean => !TOLD_ELSEWHERE.has(code);
  // A line of a file of secrets may be quoted there.
  const secrets = warnings.some(({ code }) => code === 'secrets')
    ? [
        {
          code: 'secrets' as const,
          words: `its env_file ${entry.envFile} is open to others, or has a line that is no NAME=value`,
        },
      ]
    : [];
  const isOwnLaunch = entry.layout === 'isolated';
  const why = isOwnLaunch ? 'its next start is refused' : 'its next start may fail: its unit has a launch of its own';
  const { name } = agent;
  const mendGround = { name, readiness, envFile: envFile(ground, name), secretsFile: entry.envFile ?? null };
  const tell = isOwnLaunch ? failed : warning;
  return {
    agent,
    findings: [
      ...[...problems, ...before.problems].filter(told).map(({ code, words }) => {
        const what = `${name}: ${words}${code === 'program' ? ` (looked in ${agent.path})` : ''}`;
        return tell('launch', what, why, launchMend(code, true, mendGround));
      }),
      ...[...secrets, ...before.warnings.filter(told)].map(({ code, words }) => {
        const what = `${name}: ${words}`;
        const hurt = 'it will start, and may not do what it should';
        return warning('launch', what, hurt, launchMend(code, false, mendGround));
      }),
    ],
  };
};

/** Each program that a launch runs, where its PATH finds it. */
const programs = (looked: readonly Looked[]): Finding[] => {
  const found = looked.flatMap(({ agent }) =>
    agent.programs.flatMap((name) => findProgram(name, agent.path, agent.workdir) ?? []),
  );
  return found.length === 0 ? [] : [ok('runtimes', [...new Set(found)].sort().join(', '))];
};
