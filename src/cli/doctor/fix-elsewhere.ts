/** Mends are made on the host itself, as its user: for another one, the command that does it there. */
import { FleetError } from '../../domain/errors.ts';
import type { CommandContext } from '../command.ts';
import { ownNames } from '../install/own-names.ts';
import { shellLine } from '../orders/shell-word.ts';
import { recallHosts } from '../ssh/remembered-hosts.ts';
import { type SshTarget, targetArgs } from '../ssh/ssh-target.ts';

/** Throws FAILED_PRECONDITION, naming that command, when `host` is not this one. */
export const elsewhere = async ({ paths, signal }: CommandContext, host: string): Promise<void> => {
  if (host === '') return;
  const own = await ownNames(paths, signal);
  if (host === own.host || host === `${own.host}/${own.user}`) return;
  const [name = '', user] = host.split('/');
  const known = (await recallHosts(paths, name)).filter((each) => user === undefined || each.user === user);
  const [only] = known;
  const command = only && known.length === 1 ? sshCommand(only.target) : null;
  throw new FleetError(
    'FAILED_PRECONDITION',
    `--fix mends the host on which it runs, and nothing was changed; on ${host}: ${command ?? 'fleet doctor --fix'}`,
  );
};

/** On a terminal there, where it can ask. */
const sshCommand = (target: SshTarget): string | null =>
  shellLine('ssh', '-t', ...targetArgs(target), target.machine, '.local/bin/fleet', 'doctor', '--fix');
