/** What can be told of this machine when its host-agent does not answer. Looks only; changes nothing. */
import { existsSync, lstatSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { FleetError } from '../domain/errors.ts';
import { LEAST_TMUX, versionAtLeast } from '../domain/version-at-least.ts';
import type { Paths } from '../runtime/paths.ts';
import type { Finding } from '../wire/gen/fleet/v1/view.ts';
import { DetachedProcess } from './install/detached.ts';

const TOOL_DEADLINE_MS = 3_000;
const INSTALL_TMUX = `install tmux ${LEAST_TMUX.join('.')} or newer`;

/** Loaded where a program is really run. */
const exec: typeof import('../runtime/exec.ts').exec = async (...call) =>
  (await import('../runtime/exec.ts')).exec(...call);

const finding = (
  check: string,
  outcome: string,
  what: string,
  more: Partial<Pick<Finding, 'why' | 'mend' | 'fix'>> = {},
): Finding => ({
  check,
  outcome,
  what,
  ...more,
});

export const diagnoseWithoutHostAgent = async (
  paths: Paths,
  failure: FleetError,
  signal: AbortSignal,
): Promise<Finding[]> => [
  hostAgentFinding(paths, failure),
  runFolderFinding(paths),
  await tmuxFinding(signal),
  await userManagerFinding(signal),
  await lingerFinding(),
];

const hostAgentFinding = (paths: Paths, failure: FleetError): Finding => {
  const flag = paths.instance === null ? '' : ` --instance ${paths.instance}`;
  return finding('host-agent', 'failed', `does not answer on ${paths.hostAgentSocket}`, {
    why: failure.message,
    mend: `fleet up${flag}; its log: journalctl --user -u fleet-host-agent, or ${new DetachedProcess(paths, 'host-agent').logFile}`,
  });
};

const runFolderFinding = (paths: Paths): Finding => {
  if (!existsSync(paths.run)) {
    return finding('run folder', 'unknown', `${paths.run} is not there: nothing was started yet`);
  }
  const stat = lstatSync(paths.run);
  const isSafe = stat.isDirectory() && stat.uid === userInfo().uid && (stat.mode & 0o077) === 0;
  if (isSafe) return finding('run folder', 'ok', paths.run);
  return finding('run folder', 'failed', `${paths.run} is not a folder of yours that is closed to others`, {
    mend: `look who made it; then remove it, or chmod 700 ${paths.run}`,
    ...(stat.isDirectory() && stat.uid === userInfo().uid ? { fix: { kind: 'close-path', targets: [paths.run] } } : {}),
  });
};

const tmuxFinding = async (signal: AbortSignal): Promise<Finding> => {
  const { exitCode, stdout, spawnError } = await exec('tmux', ['-V'], { timeoutMs: TOOL_DEADLINE_MS, signal });
  if (exitCode !== 0) {
    return finding('tmux', 'failed', 'cannot be run', {
      why: spawnError ?? `tmux -V exits with ${exitCode}`,
      mend: INSTALL_TMUX,
    });
  }
  const version = stdout.trim();
  if (versionAtLeast(version, LEAST_TMUX) === false) {
    return finding('tmux', 'failed', `${version} is too old`, { mend: INSTALL_TMUX });
  }
  return finding('tmux', 'ok', version);
};

const userManagerFinding = async (signal: AbortSignal): Promise<Finding> => {
  const { exitCode, stdout, stderr, spawnError } = await exec('systemctl', ['--user', 'is-system-running'], {
    timeoutMs: TOOL_DEADLINE_MS,
    signal,
    env: { XDG_RUNTIME_DIR: `/run/user/${userInfo().uid}` },
  });
  const state = stdout.trim();
  // Any state that it names is an answer: `degraded` means that some unit of the user's failed.
  if (exitCode !== null && state !== '' && state !== 'offline' && state !== 'unknown') {
    return finding('user manager', 'ok', `systemd --user is ${state}`);
  }
  return finding('user manager', 'warning', 'no systemd user manager answers: units cannot be seen', {
    why: spawnError ?? (stderr.trim() || `systemctl --user says ${state || 'nothing'}`),
  });
};

const lingerFinding = async (): Promise<Finding> => {
  const { username } = userInfo();
  if (existsSync(`/var/lib/systemd/linger/${username}`)) return finding('linger', 'ok', `on for ${username}`);
  return finding('linger', 'warning', `off for ${username}: nothing of this user starts at boot`, {
    mend: `loginctl enable-linger ${username}; where that is refused, an administrator runs the same with sudo`,
    fix: { kind: 'enable-linger', targets: [username] },
  });
};
