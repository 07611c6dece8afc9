/** `fleet host upgrade`: this version onto hosts over ssh, one at a time, no further where one did not come back. */
import { FleetError } from '../../domain/errors.ts';
import { type HostAgent, hostAgentId } from '../../domain/host-agent.ts';
import type { CommandContext } from '../command.ts';
import { confirm } from '../confirm.ts';
import { EXIT, exitCodeOf } from '../exit-codes.ts';
import { isEnrolledWith } from '../install/enrolled-with.ts';
import { readEnrolment } from '../install/enrolment.ts';
import { exclusively } from '../install/exclusive.ts';
import { askStatus, lookAtCell } from '../install/local-fleet.ts';
import { shippedVersion } from '../install/shipped-version.ts';
import { Steps } from '../install/steps.ts';
import { targetText } from '../ssh/ssh-target.ts';
import { type UpgradeContext, upgradeHost } from '../ssh/upgrade-host.ts';
import { type UpgradePlan, type UpgradeTarget, upgradePlan } from '../ssh/upgrade-targets.ts';
import { exitCodeOfTold, type HostTold, isAway, nextWords, toldJson, toldLine } from '../ssh/upgrade-told.ts';
import { UsageError } from '../usage-error.ts';
import { bringUp, refuseRoot } from './up.ts';

export const run = (command: CommandContext): Promise<number> =>
  exclusively(command.paths, () => upgradeHosts(command));

const upgradeHosts = async (command: CommandContext): Promise<number> => {
  const { positionals: named, flags, paths, signal, stdout, stderr } = command;
  refuseRoot(paths);
  const deadlineSeconds = deadlineOf(flags.deadline as string);
  const dryRun = Boolean(flags['dry-run']);
  const controller = await askStatus(paths);
  const steps = new Steps(stderr);
  const context = { paths, shipped: shippedVersion(), steps, controller, dryRun, deadlineSeconds, signal };
  const own = await readEnrolment(paths);
  const { hosts } = await lookAtCell(paths, { hostsOnly: true });
  const ssh = { port: flags.port as string | undefined, identity: flags.identity as string | undefined };
  const hereId = own !== null && isEnrolledWith(own, controller) ? hostAgentId(own.host, own.user) : null;
  const plan = await upgradePlan(paths, { named, hosts, hereId, ssh });
  if (!dryRun) await ask(command, context, plan, hosts);
  if (plan.outOfReach.length > 0) {
    const which = plan.outOfReach.join(', ');
    steps.note(`not from here, where no ssh to them is known: ${which} (fleet host upgrade USER@MACHINE)`);
  }
  const told: HostTold[] = [];
  if (plan.here !== null) told.push(await upgradeHere(context, plan.here, buildOf(hosts, plan.here)));
  for (const target of plan.targets) {
    const before = told.find((one) => isAway(one) || (one.outcome === 'failed' && one.id === plan.here));
    told.push(before ? notBegun(target, before) : await upgradeThere(context, target));
  }
  if (flags.output === 'json') stdout.write(`${toldJson(told, context.shipped.id, controller.cell)}\n`);
  else for (const one of told) stdout.write(`${toldLine(one, context.shipped.id)}\n`);
  for (const words of nextWords(told)) steps.note(words);
  if (dryRun) steps.note('dry run: nothing was changed');
  else if (told.every(({ outcome }) => outcome === 'unchanged')) steps.note('nothing had to be changed');
  return exitCodeOfTold(told);
};

const deadlineOf = (text: string): number => {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds >= 5 && seconds <= 600) return seconds;
  throw new UsageError(`--deadline ${text}: use whole seconds from 5 to 600`);
};

const nameOf = ({ id, ssh }: UpgradeTarget): string => id ?? targetText(ssh);

const buildOf = (hosts: readonly HostAgent[], id: string | null): string | null =>
  hosts.find((host) => host.id === id)?.facts?.build || null;

/** One that was named needs no question; neither does a run that finds every host at this version. */
const ask = async (
  command: CommandContext,
  { shipped, steps }: UpgradeContext,
  { here, targets }: UpgradePlan,
  hosts: readonly HostAgent[],
): Promise<void> => {
  const isBehind = (id: string | null): boolean => buildOf(hosts, id) !== shipped.id;
  const names = targets.filter(({ id }) => isBehind(id)).map(nameOf);
  if (here !== null && isBehind(here)) names.unshift(`${here} (this machine, with its controller)`);
  if (names.length === 0 || (names.length === 1 && command.positionals.length === 1)) return;
  const words = `upgrade ${names.length} host-agent${names.length === 1 ? '' : 's'} to ${shipped.id}: ${names.join(', ')}`;
  if (command.flags.yes) steps.note(words);
  await confirm(command, `${words}?`);
};

/** The host-agent of this machine, and its controller: what `fleet up` of this version does. */
const upgradeHere = async (context: UpgradeContext, id: string, from: string | null): Promise<HostTold> => {
  const { steps, shipped, paths, signal } = context;
  const told = { id, reason: null, from, exitCode: EXIT.done };
  steps.note(`${id}, this machine: as fleet up of this version does it`);
  if (context.dryRun) return { ...told, outcome: from === shipped.id ? 'unchanged' : 'would' };
  const before = steps.changed;
  try {
    await bringUp({ paths, steps, signal }, { newCell: false });
    return { ...told, outcome: steps.changed === before ? 'unchanged' : 'upgraded' };
  } catch (error) {
    return failed(context, id, error);
  }
};

/** A host that cannot be reached, or cannot take this version, is as it was. */
const upgradeThere = async (context: UpgradeContext, target: UpgradeTarget): Promise<HostTold> => {
  context.steps.note(`${nameOf(target)}, ${targetText(target.ssh)}`);
  try {
    const one = await upgradeHost(context, target);
    return { ...one, exitCode: isAway(one) ? EXIT.failed : EXIT.done };
  } catch (error) {
    return failed(context, nameOf(target), error);
  }
};

const failed = ({ signal }: UpgradeContext, id: string, error: unknown): HostTold => {
  if (!(error instanceof FleetError) || signal.aborted) throw error;
  return { id, outcome: 'failed', reason: error.message, from: null, exitCode: exitCodeOf[error.code] };
};

const notBegun = (target: UpgradeTarget, before: HostTold): HostTold => {
  const reason = `${before.id} did not come back`;
  return { id: nameOf(target), outcome: 'not-begun', reason, from: null, exitCode: EXIT.failed };
};
