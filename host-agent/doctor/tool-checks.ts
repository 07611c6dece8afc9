/** The programs that a fleet needs on this machine, and their versions. */
import { realpathSync } from 'node:fs';
import { LEAST_TMUX, versionAtLeast } from '../../src/domain/version-at-least.ts';
import { exec } from '../../src/runtime/exec.ts';
import type { Finding } from '../../src/wire/gen/fleet/v1/view.ts';
import type { DiagnoseOptions } from './diagnose-options.ts';
import { failed, ok, warning } from './finding.ts';

const TOOL_DEADLINE_MS = 2_000;

export const tools = async (options: DiagnoseOptions): Promise<Finding[]> =>
  await Promise.all([tmuxProgram(), systemdProgram(options), nodeProgram(), shell(), sshProgram()]);

const tmuxProgram = async (): Promise<Finding> => {
  const result = await exec('tmux', ['-V'], { timeoutMs: TOOL_DEADLINE_MS });
  if (result.exitCode !== 0) {
    return failed('tmux', 'tmux was not found on the PATH', 'agents live in tmux', 'install it: apt-get install tmux');
  }
  const words = result.stdout.trim();
  return versionAtLeast(words, LEAST_TMUX) !== true
    ? warning(
        'tmux',
        `${words} is older than ${LEAST_TMUX.join('.')}`,
        'lists and screens of older servers are not read reliably',
        'upgrade tmux',
      )
    : ok('tmux', words);
};

const systemdProgram = async ({ manager }: DiagnoseOptions): Promise<Finding> => {
  const version = (await manager)?.version ?? null;
  if (version !== null) return ok('systemd', `systemd ${version}`);
  const { exitCode, stdout } = await exec('systemctl', ['--version'], { timeoutMs: TOOL_DEADLINE_MS });
  const words = /^systemd \S+/.exec(stdout)?.[0];
  return exitCode === 0 && words
    ? ok('systemd', words)
    : ok('systemd', 'not on this machine: agents are watched all the same, but nothing starts them at boot');
};

/** The one that came with the install, whatever the machine has. */
const nodeProgram = async (): Promise<Finding> => ok('node', `${process.versions.node}, ${process.execPath}`);

const shell = async (): Promise<Finding> => {
  const { exitCode } = await exec('/bin/sh', ['-c', ':'], { timeoutMs: TOOL_DEADLINE_MS });
  if (exitCode === 0) return ok('sh', realpathSync('/bin/sh'));
  return failed('sh', '/bin/sh cannot be run', 'every launch of an agent begins with it', 'repair /bin/sh');
};

const sshProgram = async (): Promise<Finding> => {
  const { exitCode, stderr } = await exec('ssh', ['-V'], { timeoutMs: TOOL_DEADLINE_MS });
  const words = stderr.trim().split(/[,\n]/)[0] ?? '';
  return exitCode === 0
    ? ok('ssh', words)
    : ok('ssh', 'no client here: only needed to add, upgrade and control other hosts from this one');
};
