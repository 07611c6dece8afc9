/** `fleet host add`: one machine over one ssh connection; each step with its outcome, its first rows at the end. */
import { EVERYTHING } from '../../domain/agent-filter.ts';
import type { ControlLevel } from '../../domain/host-agent.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { exclusively } from '../install/exclusive.ts';
import { askStatus, type SeenHosts } from '../install/local-fleet.ts';
import { shippedVersion } from '../install/shipped-version.ts';
import { Steps, unchanged } from '../install/steps.ts';
import { takePicture } from '../picture.ts';
import { agentsTable } from '../render/agents-table.ts';
import { painterFor } from '../render/paint.ts';
import type { AddContext, AddOptions } from '../ssh/add-context.ts';
import { chooseUplink, dropTunnel, openTunnel, presentVia } from '../ssh/choose-uplink.ts';
import { installThere } from '../ssh/install-there.ts';
import { rememberHost } from '../ssh/remembered-hosts.ts';
import { awaitRows, isSettled, settle } from '../ssh/settle-there.ts';
import { openSsh } from '../ssh/ssh-session.ts';
import { parseSshTarget } from '../ssh/ssh-target.ts';
import { survey } from '../ssh/survey.ts';
import { requireTenant, settleTenant } from '../ssh/tenant-there.ts';

export const run = (command: CommandContext): Promise<number> => exclusively(command.paths, () => addHost(command));

const addHost = async (command: CommandContext): Promise<number> => {
  const { positionals, flags, paths, signal, stderr } = command;
  const text = (name: string) => flags[name] as string | undefined;
  const target = parseSshTarget(positionals[0] as string, { port: text('port'), identity: text('identity') });
  const options: AddOptions = {
    name: text('name'),
    tenant: text('tenant'),
    control: text('control') as ControlLevel | undefined,
    link: (text('link') ?? 'auto') as AddOptions['link'],
    listen: text('listen'),
    advertise: (flags.advertise as string[] | undefined) ?? [],
    replace: Boolean(flags.replace),
    dryRun: Boolean(flags['dry-run']),
  };
  const steps = new Steps(stderr);
  const controller = await askStatus(paths);
  await using session = await steps.run('connect', async () => {
    const opened = await openSsh(target, { paths, signal, ...(text('host-key') ? { hostKey: text('host-key') } : {}) });
    return [unchanged(`host key ${opened.hostKey.type} ${opened.hostKey.fingerprint}`), opened];
  });
  const context: AddContext = { paths, shipped: shippedVersion(), steps, session, options, signal };
  const found = await survey(context, controller);
  await requireTenant(context, found);
  await installThere(context, found);
  const via = await presentVia(paths, found);
  const mustEnrol = found.enrolled === null || (options.link !== 'auto' && options.link !== via);
  if (mustEnrol) {
    const uplink = await chooseUplink(context, found);
    await settle(context, found, uplink);
    if (via === 'ssh' && uplink.via === 'dial') await dropTunnel(context, found);
  } else {
    if (via === 'ssh') await openTunnel(context, found, 'as before');
    if (isSettled(context, found)) await steps.run('host-agent', async () => unchanged('enrolled and running'));
    else await settle(context, found, null);
    await settleTenant(context, found);
  }
  if (!options.dryRun) await rememberHost(paths, found.host, found.facts.user, target);
  const seen = await awaitRows(context, found);
  if (seen) printRows(command, seen, found.host);
  if (options.dryRun) steps.note(`dry run: nothing was changed; ${steps.changed} steps would change something`);
  else if (steps.changed === 0) steps.note('nothing had to be changed');
  return EXIT.done;
};

const printRows = ({ stdout, env }: CommandContext, seen: SeenHosts, host: string): void => {
  const picture = takePicture(seen.mirror, systemClock.monotonicMs(), {
    filter: { ...EVERYTHING, cells: [seen.mirror.cell], hosts: [host] },
    localOnly: false,
    compare: null,
  });
  const width = stdout.columns ?? 120;
  for (const line of agentsTable(picture, { width, wide: false, paint: painterFor(stdout, env) })) {
    stdout.write(`${line}\n`);
  }
};
