/** `fleet down`: ends the two daemons of this user on this machine. Sessions stay as they are; data too, unless it is uninstalled. */
import type { Paths } from '../../runtime/paths.ts';
import type { CommandContext } from '../command.ts';
import { confirm } from '../confirm.ts';
import { EXIT } from '../exit-codes.ts';
import { type Daemons, DetachedDaemons, UnitDaemons } from '../install/daemons.ts';
import { exclusively } from '../install/exclusive.ts';
import { done, Steps, unchanged } from '../install/steps.ts';
import { UserManager } from '../install/user-manager.ts';
import { type Installed, lookHere, removeHere } from '../ssh/remove-here.ts';
import { stopDetachedTunnels } from '../ssh/tunnel.ts';
import { UsageError } from '../usage-error.ts';
import { refuseRoot } from './up.ts';

export const run = async (command: CommandContext): Promise<number> => {
  const { paths, flags, stderr } = command;
  refuseRoot(paths);
  if (!flags.uninstall && (flags.force || flags['dry-run'])) {
    throw new UsageError('--force and --dry-run go with --uninstall');
  }
  const steps = new Steps(stderr);
  return exclusively(paths, async () => {
    if (flags.uninstall) return uninstall(command, steps);
    await stopDaemons(paths, steps);
    steps.note('sessions and data are as they were; next: fleet up');
    return EXIT.done;
  });
};

const uninstall = async (command: CommandContext, steps: Steps): Promise<number> => {
  const { paths, flags } = command;
  const dryRun = Boolean(flags['dry-run']);
  const installed = await lookHere(paths, Boolean(flags.force));
  if (!dryRun) {
    await confirm(command, questionOf(installed));
    await stopDaemons(paths, steps);
  }
  await steps.run('remove', () => removeHere(paths, dryRun));
  steps.note(dryRun ? 'dry run: nothing was changed' : 'sessions and the files of this user are as they were');
  const { enrolledAs, cell } = installed;
  if (enrolledAs !== null && cell === null) {
    steps.note(
      `its cell shows it as stopped until its operator removes it: fleet host rm ${enrolledAs.split('/')[0]} --forget`,
    );
  }
  return EXIT.done;
};

const questionOf = ({ cell, others, logins }: Installed): string => {
  const left = others.length > 0 ? `, which leaves ${others.join(', ')} without a controller` : '';
  const known = logins.length > 0 ? `, with your logins ${logins.join(', ')}` : '';
  return `remove fleet from this machine${known}${cell === null ? '' : `, with its cell ${cell} and the keys of it${left}`}?`;
};

const stopDaemons = async (paths: Paths, steps: Steps): Promise<void> => {
  const daemons = await runningUnder(paths);
  // The host-agent first: its controller hears a clean good-bye.
  for (const name of ['host-agent', 'controller'] as const) {
    await steps.run(name, async () => ((await daemons.stop(name)) ? done('stopped') : unchanged('was not running')));
  }
  await stopDetachedTunnels(paths);
};

const runningUnder = async (paths: Paths): Promise<Daemons> => {
  const manager = new UserManager();
  if (paths.instance === null && (await manager.isReachable())) return new UnitDaemons(manager, '', paths);
  return new DetachedDaemons(paths, { bin: '', versionId: '' });
};
