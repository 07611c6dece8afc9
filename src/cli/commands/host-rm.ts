/** `fleet host rm`: revokes a host at the controller and takes away what `host add` put on it, and nothing else. */
import { FleetError } from '../../domain/errors.ts';
import type { CommandContext } from '../command.ts';
import { confirm } from '../confirm.ts';
import { EXIT } from '../exit-codes.ts';
import { exclusively } from '../install/exclusive.ts';
import { askRemoval, askStatus } from '../install/local-fleet.ts';
import { Steps } from '../install/steps.ts';
import { knownTarget } from '../ssh/known-target.ts';
import { recallHosts } from '../ssh/remembered-hosts.ts';
import { forgetHere, lookThere, removeThere, revokeHere } from '../ssh/remove-host.ts';
import { type SshTarget, targetText } from '../ssh/ssh-target.ts';
import { UsageError } from '../usage-error.ts';

export const run = (command: CommandContext): Promise<number> => exclusively(command.paths, () => removeHost(command));

const removeHost = async (command: CommandContext): Promise<number> => {
  const { positionals, flags, paths, signal, stderr } = command;
  const named = positionals[0] as string;
  const steps = new Steps(stderr);
  const controller = await askStatus(paths);
  if (flags.forget) {
    if (named.includes('@')) throw new UsageError('--forget takes the name of the host in the cell, not USER@MACHINE');
    return forget(command, steps, named);
  }
  const target = await targetOf(command, named);
  const context = { paths, steps, signal, controller, dryRun: Boolean(flags['dry-run']) };
  await using there = await lookThere(context, target);
  const { victim } = there;
  if (!named.includes('@') && victim.host !== null && victim.host !== named) {
    throw new FleetError(
      'FAILED_PRECONDITION',
      `${targetText(target)} is ${victim.host} now, not ${named}: name it so`,
    );
  }
  const known = { ...victim, host: victim.host ?? (named.includes('@') ? null : named) };
  if (!context.dryRun)
    await confirm(command, `remove fleet from ${targetText(target)} (${known.host ?? 'not enrolled'})?`);
  await revokeHere(context, known);
  await removeThere(context, there.session, known);
  await forgetHere(context, known);
  steps.note(context.dryRun ? 'dry run: nothing was changed' : 'sessions and the files of its user are as they were');
  return EXIT.done;
};

/** The machine is gone for good: only our side forgets it. */
const forget = async (command: CommandContext, steps: Steps, host: string): Promise<number> => {
  const { paths, signal, flags } = command;
  const controller = await askStatus(paths);
  const context = { paths, steps, signal, controller, dryRun: Boolean(flags['dry-run']) };
  if (!context.dryRun) await confirm(command, `revoke every host-agent of ${host} and forget it?`);
  const users = new Set((await recallHosts(paths, host)).map(({ user }) => user));
  if (context.dryRun) {
    steps.note(`dry run: would revoke ${host}; nothing was changed`);
    return EXIT.done;
  }
  const removed = await askRemoval(paths, host, '');
  for (const id of removed) users.add(id.slice(id.lastIndexOf('/') + 1));
  for (const user of users) await forgetHere(context, { host, user, keepsController: false });
  if (removed.length === 0) throw new FleetError('NOT_FOUND', `no host is enrolled as ${host}: see fleet hosts`);
  steps.note(`revoked ${removed.join(', ')}`);
  return EXIT.done;
};

const targetOf = ({ flags, paths }: CommandContext, named: string): Promise<SshTarget> => {
  const options = { port: flags.port as string | undefined, identity: flags.identity as string | undefined };
  return knownTarget(paths, named, options, 'name it USER@MACHINE, or only revoke it with --forget');
};
