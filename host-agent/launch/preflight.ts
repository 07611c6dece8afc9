/**
 * Whether an agent could start here and now, looked at before each start. Comes in: what it was resolved to. Goes out: what
 * keeps it from starting, and what will hurt it later, each in one plain line. Changes nothing.
 */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { LEAST_TMUX, versionAtLeast } from '../../src/domain/version-at-least.ts';
import { exec } from '../../src/runtime/exec.ts';
import type { LaunchGround } from './launch-paths.ts';
import type { Finding, FindingCode, Preflight } from './preflight-file.ts';
import type { ResolvedAgent } from './resolve-agent.ts';
import { runtimeLaunch } from './runtimes.ts';
import { findProgram, interpreterOf } from './search-path.ts';
import { simpleCommand } from './shell-text.ts';
import { trustWarning } from './trust.ts';

const TMUX_MS = 5_000;

/** Full path of tmux and why it will not do; the version is asked of the program itself. */
export const lookAtTmux = async (
  path: string,
  home: string,
): Promise<{ tmux: string | null; problem: string | null }> => {
  const tmux = findProgram('tmux', path, home) ?? findProgram('tmux', '/usr/local/bin:/usr/bin:/bin', home);
  if (tmux === null) return { tmux, problem: 'tmux is not installed, or not on the PATH' };
  const { stdout } = await exec(tmux, ['-V'], { timeoutMs: TMUX_MS });
  const isNew = versionAtLeast(stdout, LEAST_TMUX);
  if (isNew === null) return { tmux, problem: `${tmux} does not tell its version` };
  return { tmux, problem: isNew ? null : `${tmux} is ${stdout.trim()}: 3.2 or newer is needed` };
};

export interface PreflightOptions {
  ground: LaunchGround;
  /** It is to start now, so nothing of it may run already. */
  starting: boolean;
  /** Why tmux will not do. */
  tmuxProblem: string | null;
  uid?: number;
  user?: string;
  lingerFolder?: string;
}

export const preflight = async (agent: ResolvedAgent, options: PreflightOptions): Promise<Omit<Preflight, 'atMs'>> => {
  const problems = [
    agent.layout === 'isolated' && agent.socket === null
      ? finding('socket', 'its server would be tmux’s default one: name another MOSAIC_TMUX_SOCKET in its env file')
      : null,
    options.tmuxProblem === null ? null : finding('tmux', options.tmuxProblem),
    options.starting && agent.layout === 'isolated' ? await runningServer(agent, options) : null,
    workdirProblem(agent),
    programProblem(agent, options.ground.home),
  ];
  const launch = runtimeLaunch(agent.runtime ?? '');
  const isRaw = !agent.isOwnCommand && agent.programs[0] !== 'mosaic';
  const warnings = [
    lingerWarning(options),
    trustWarning(agent, options.ground.home),
    isRaw && launch.detached !== null ? finding('detached', launch.detached) : null,
  ];
  return { agent: agent.name, problems: problems.filter(isThere), warnings: warnings.filter(isThere) };
};

const finding = (code: FindingCode, words: string): Finding => ({ code, words });

const isThere = <T>(value: T | null): value is T => value !== null;

/** A server there answers: with another on its socket, this one could not begin. */
const runningServer = async ({ socket }: ResolvedAgent, { ground, uid }: PreflightOptions): Promise<Finding | null> => {
  const path = join(ground.tmuxTmpdir, `tmux-${uid ?? userInfo().uid}`, socket ?? 'default');
  return (await isListening(path))
    ? finding('running', `a tmux server runs on its socket ${path} already: stop that first`)
    : null;
};

const isListening = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const line = connect(path);
    line.once('connect', () => resolve(true));
    line.once('error', () => resolve(false));
    line.once('connect', () => line.destroy());
  });

const workdirProblem = ({ workdir, isDefaultWorkdir }: ResolvedAgent): Finding | null => {
  const stat = statSync(workdir, { throwIfNoEntry: false });
  if (stat === undefined)
    return isDefaultWorkdir ? null : finding('workdir', `its working directory ${workdir} does not exist`);
  if (!stat.isDirectory()) return finding('workdir', `its working directory ${workdir} is no folder`);
  try {
    accessSync(workdir, constants.X_OK);
    return null;
  } catch {
    return finding('workdir', `its working directory ${workdir} may not be entered`);
  }
};

/** Of a command that somebody wrote only its first word can be told, and only where it is a plain one. */
const programProblem = (
  { programs, command, isOwnCommand, path, workdir }: ResolvedAgent,
  home: string,
): Finding | null => {
  const [first] = simpleCommand(command) ?? [];
  const plain = first?.replace(/^~(?=\/)/, home);
  const wanted = isOwnCommand ? (plain !== undefined && /^[\w@%+:,./-]+$/.test(plain) ? [plain] : []) : programs;
  for (const name of wanted) {
    const found = findProgram(name, path, workdir);
    if (found === null) return notFound(name, '');
    const interpreter = interpreterOf(found);
    if (interpreter !== null && findProgram(interpreter, path, workdir) === null)
      return notFound(interpreter, `, and ${found} needs it`);
  }
  return null;
};

const notFound = (name: string, why: string): Finding =>
  finding('program', `${name} is not found on its PATH${why}: name its folder in MOSAIC_RUNTIME_BIN`);

const lingerWarning = ({
  user = userInfo().username,
  lingerFolder = '/var/lib/systemd/linger',
}: PreflightOptions): Finding | null =>
  existsSync(join(lingerFolder, user))
    ? null
    : finding('linger', `linger is off for ${user}: it will not start at boot (loginctl enable-linger ${user})`);
