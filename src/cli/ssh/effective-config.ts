/** What ssh would do for a machine after reading all of its configuration (`ssh -G`); it connects to nothing. */
import { FleetError } from '../../domain/errors.ts';
import { exec } from '../../runtime/exec.ts';
import { type SshTarget, targetArgs } from './ssh-target.ts';

const CALL_TIMEOUT_MS = 5_000;

/** Lower-case names; of options that may repeat, the first. */
export const effectiveConfig = async (target: SshTarget): Promise<Record<string, string | undefined>> => {
  const args = ['-G', ...targetArgs(target), '--', target.machine];
  const result = await exec('ssh', args, { timeoutMs: CALL_TIMEOUT_MS });
  if (result.exitCode !== 0) {
    const why = result.spawnError ? 'ssh cannot be started: install openssh-client' : result.stderr.trim();
    throw new FleetError('FAILED_PRECONDITION', why || 'ssh -G failed');
  }
  const config: Record<string, string> = {};
  for (const line of result.stdout.split('\n')) {
    const at = line.indexOf(' ');
    if (at > 0) config[line.slice(0, at)] ??= line.slice(at + 1);
  }
  return config;
};
