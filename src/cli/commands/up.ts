/** `fleet up`: controller and host-agent of this user on this machine, without a question. */
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { FleetError } from '../../domain/errors.ts';
import type { ControlLevel } from '../../domain/host-agent.ts';
import { isCellName } from '../../identity/spiffe-id.ts';
import { isLingering } from '../../runtime/linger.ts';
import type { Paths } from '../../runtime/paths.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { chooseDaemons, installHere, type StartContext } from '../install/choose-daemons.ts';
import { DetachedDaemons } from '../install/daemons.ts';
import { type EnrolledAs, readEnrolment } from '../install/enrolment.ts';
import { exclusively } from '../install/exclusive.ts';
import { giveBackLinger } from '../install/give-back-linger.ts';
import { settleHostPolicy } from '../install/host-policy.ts';
import { pathNote } from '../install/on-path.ts';
import { refuseOtherCell, startController, startHostAgent, startHostAgentOnly } from '../install/start-fleet.ts';
import { Steps } from '../install/steps.ts';
import { resumeDetachedTunnels } from '../ssh/tunnel.ts';
import { UsageError } from '../usage-error.ts';

export const run = async ({ flags, paths, env, stderr, signal }: CommandContext): Promise<number> => {
  refuseRoot(paths);
  const context = { paths, steps: new Steps(stderr), signal };
  const port = portIn(flags.port);
  const cell = cellIn(flags.cell);
  return exclusively(paths, async () => {
    await bringUp(context, {
      name: flags.name as string | undefined,
      cell,
      listen: flags.listen as string | undefined,
      port,
      control: flags.control as ControlLevel | undefined,
      newCell: Boolean(flags['new-cell']),
    });
    const note = paths.instance === null ? pathNote(env.PATH) : null;
    if (note !== null) context.steps.note(note);
    const instance = paths.instance === null ? '' : ` --instance ${paths.instance}`;
    context.steps.note(`next: fleet ps${instance}    another machine: fleet host add${instance} USER@MACHINE`);
    return EXIT.done;
  });
};

export interface UpOptions {
  name?: string | undefined;
  cell?: string | undefined;
  listen?: string | undefined;
  port?: number | undefined;
  control?: ControlLevel | undefined;
  newCell: boolean;
}

const portIn = (text: CommandContext['flags'][string]): number | undefined => {
  if (text === undefined) return undefined;
  const port = /^[1-9]\d{3,4}$/.test(String(text)) ? Number(text) : 0;
  if (port >= 1_024 && port <= 65_535) return port;
  throw new UsageError(`--port "${text}": a number from 1024 to 65535`);
};

const cellIn = (text: CommandContext['flags'][string]): string | undefined => {
  if (text === undefined || isCellName(String(text))) return text as string | undefined;
  throw new UsageError(`--cell "${text}": 1 to 63 of a-z 0-9 . -, beginning and ending with a letter or digit`);
};

/** Under the caller's lock. */
export const bringUp = async (context: StartContext, options: UpOptions): Promise<void> => {
  const { paths } = context;
  const enrolled = await readEnrolment(paths);
  const isElsewhere = enrolled !== null && !existsSync(join(paths.state, 'controller'));
  if (isElsewhere && !options.newCell && (options.cell || options.listen || options.port)) {
    throw new FleetError(
      'FAILED_PRECONDITION',
      `this host belongs to cell ${enrolled.cell}, whose controller is elsewhere: --new-cell starts a second one here`,
    );
  }
  if (!isElsewhere || options.newCell) await refuseOtherCell(paths, options.cell);
  const wasOff = paths.instance === null && !isLingering(userInfo().username);
  try {
    await bringDaemonsUp(context, options, isElsewhere ? enrolled : null);
  } catch (error) {
    // Nothing of ours is here that would have to start at boot.
    const isBare = enrolled === null && !existsSync(join(paths.state, 'controller'));
    if (wasOff && isBare) await giveBackLinger(paths);
    throw error;
  }
};

/** `elsewhere`: as what this user belongs to a controller that is not here. */
const bringDaemonsUp = async (
  context: StartContext,
  options: UpOptions,
  elsewhere: EnrolledAs | null,
): Promise<void> => {
  const { paths } = context;
  const installed = await installHere(context);
  const daemons = await chooseDaemons(context, installed);
  const { control, name } = options;
  const settlePolicy = async (): Promise<void> => {
    if (control !== undefined) await context.steps.run('policy', () => settleHostPolicy(paths, control));
  };
  if (elsewhere !== null && !options.newCell) {
    await settlePolicy();
    await startHostAgentOnly(context, daemons, elsewhere);
  } else {
    await startController(context, daemons, options);
    await settlePolicy();
    await startHostAgent(context, daemons, { name, replace: elsewhere !== null });
  }
  if (daemons instanceof DetachedDaemons) {
    await resumeDetachedTunnels(paths, join(installed.bin, '../lib/remote/tunnel.sh'));
  }
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
