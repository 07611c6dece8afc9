/** `fleet up`: controller and host-agent of this user on this machine, without a question. */
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { FleetError } from '../../domain/errors.ts';
import type { ControlLevel } from '../../domain/host-agent.ts';
import type { Paths } from '../../runtime/paths.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { chooseDaemons, installHere } from '../install/choose-daemons.ts';
import { DetachedDaemons } from '../install/daemons.ts';
import { readEnrolment } from '../install/enrolment.ts';
import { exclusively } from '../install/exclusive.ts';
import { settleHostPolicy } from '../install/host-policy.ts';
import { startController, startHostAgent, startHostAgentOnly } from '../install/start-fleet.ts';
import { Steps } from '../install/steps.ts';
import { resumeDetachedTunnels } from '../ssh/tunnel.ts';

export const run = async ({ flags, paths, stderr, signal }: CommandContext): Promise<number> => {
  refuseRoot(paths);
  const options = {
    name: flags.name as string | undefined,
    cell: flags.cell as string | undefined,
    listen: flags.listen as string | undefined,
  };
  const context = { paths, steps: new Steps(stderr), signal };
  return exclusively(paths, async () => {
    const enrolled = await readEnrolment(paths);
    const isElsewhere = enrolled !== null && !existsSync(join(paths.state, 'controller'));
    if (isElsewhere && !flags['new-cell'] && (options.cell || options.listen)) {
      throw new FleetError(
        'FAILED_PRECONDITION',
        `this host belongs to cell ${enrolled.cell}, whose controller is elsewhere: --new-cell starts a second one here`,
      );
    }
    const installed = await installHere(context);
    const daemons = await chooseDaemons(context, installed);
    if (flags.control !== undefined) {
      await context.steps.run('policy', () => settleHostPolicy(paths, flags.control as ControlLevel));
    }
    if (isElsewhere && !flags['new-cell']) {
      await startHostAgentOnly(context, daemons, enrolled);
    } else {
      await startController(context, daemons, options);
      await startHostAgent(context, daemons, {
        name: options.name,
        replace: Boolean(flags['new-cell']) && isElsewhere,
      });
    }
    if (daemons instanceof DetachedDaemons) {
      await resumeDetachedTunnels(paths, join(installed.bin, '../lib/remote/tunnel.sh'));
    }
    const instance = paths.instance === null ? '' : ` --instance ${paths.instance}`;
    context.steps.note(`next: fleet ps${instance}    another machine: fleet host add${instance} USER@MACHINE`);
    return EXIT.done;
  });
};

/** Agents of root would run with all rights, and the kernel would keep nobody apart. */
export const refuseRoot = (paths: Paths): void => {
  if (userInfo().uid === 0 && paths.instance === null) {
    throw new FleetError(
      'FAILED_PRECONDITION',
      'fleet runs as the user whose agents it shows, never as root: log in as that user (a test: --instance NAME)',
    );
  }
};
