/** `fleet host control`: what a host lets others do, shown, or changed in the host's own file by whoever owns the account. */
import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import { CONTROL_LEVELS, type ControlLevel } from '../../domain/host-agent.ts';
import type { Paths } from '../../runtime/paths.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { exclusively } from '../install/exclusive.ts';
import { hostPolicyFile, hostPolicyText, writeHostPolicy } from '../install/host-policy.ts';
import { lookAtHosts } from '../install/local-fleet.ts';
import { ownNames } from '../install/own-names.ts';
import {
  changedPolicy,
  type PolicyChange,
  policyText,
  readPolicy,
  type ShownPolicy,
  shownPolicy,
} from '../install/policy-text.ts';
import { jsonText } from '../render/json.ts';
import { knownTarget } from '../ssh/known-target.ts';
import { policyThere } from '../ssh/policy-there.ts';
import { UsageError } from '../usage-error.ts';

/** Of one host-agent; `before` holds only what it tells of itself where its file was not read. */
interface Shown {
  host: string;
  user: string;
  before: { control: string } & Partial<Omit<ShownPolicy, 'control'>>;
  /** null: nothing was asked to change. */
  after: ShownPolicy | null;
}

export const run = async (command: CommandContext): Promise<number> => {
  const { positionals, flags, paths, signal, stderr } = command;
  const named = positionals[0] as string;
  const change = changeOf(command);
  const isChange = Object.values(change).some((value) => value !== undefined);
  const own = await ownNames(paths, signal);
  const isOwn = named === own.host || named === `${own.host}/${own.user}`;
  const act = async (): Promise<Shown[]> => {
    if (isOwn) return [await changeHere(command, own, isChange ? change : null)];
    return isChange ? [await changeThere(command, named, change)] : await toldBy(paths, named);
  };
  const shown = isChange ? await exclusively(paths, act) : await act();
  print(command, shown);
  if (isChange && flags['dry-run']) stderr.write('dry run: nothing was changed\n');
  return EXIT.done;
};

const changeOf = ({ positionals, flags }: CommandContext): PolicyChange => {
  const [, level] = positionals;
  if (level !== undefined && !CONTROL_LEVELS.includes(level as ControlLevel))
    throw new UsageError(`"${level}" is no level: use one of ${CONTROL_LEVELS.join(', ')}`);
  return {
    control: level as ControlLevel | undefined,
    takeover: yesNoOf(flags.takeover),
    federated: flags.federated as ControlLevel | undefined,
    federatedTakeover: yesNoOf(flags['federated-takeover']),
  };
};

const yesNoOf = (flag: unknown): boolean | undefined => (flag === undefined ? undefined : flag === 'yes');

const changeHere = async (
  { paths, flags }: CommandContext,
  { host, user }: { host: string; user: string },
  change: PolicyChange | null,
): Promise<Shown> => {
  const document = readPolicy(await hostPolicyText(paths), hostPolicyFile(paths));
  const before = shownPolicy(document);
  if (change === null) return { host, user, before, after: null };
  if (!flags['dry-run']) await writeHostPolicy(paths, policyText(document, change));
  return { host, user, before, after: changedPolicy(before, change) };
};

const changeThere = async (command: CommandContext, named: string, change: PolicyChange): Promise<Shown> => {
  const { paths, flags, signal } = command;
  const options = { port: flags.port as string | undefined, identity: flags.identity as string | undefined };
  const otherwise = 'name it USER@MACHINE, or run this command on it';
  await using there = await policyThere(await knownTarget(paths, named, options, otherwise), named, { paths, signal });
  const { host, user } = there;
  const document = readPolicy(there.text, `host-policy.json on ${host}`);
  const before = shownPolicy(document);
  const after = changedPolicy(before, change);
  if (!flags['dry-run']) await there.put(policyText(document, change));
  return { host, user, before, after };
};

/** As each host-agent of that name last said. */
const toldBy = async (paths: Paths, named: string): Promise<Shown[]> => {
  const { hosts } = await lookAtHosts(paths, { hostsOnly: true });
  const found = hosts.filter(({ id, host }) => id === named || host === named);
  if (found.length === 0) {
    const known = [...new Set(hosts.map(({ host }) => host))].join(', ');
    throw new FleetError('NOT_FOUND', `no host "${named}" in this view; known: ${known || 'none'}`);
  }
  return found.map(({ host, user, facts }) => ({
    host,
    user,
    before: { control: facts?.control ?? 'unknown' },
    after: null,
  }));
};

const print = ({ flags, stdout }: CommandContext, shown: readonly Shown[]): void => {
  if (flags.output === 'json') {
    const hosts = shown.map((one) => ({ ...one, before: asKeys(one.before), after: one.after && asKeys(one.after) }));
    stdout.write(`${jsonText({ schema: 'fleet.host-control/v1', hosts })}\n`);
    return;
  }
  for (const { host, user, before, after } of shown) {
    const words = [wordOf('control', before.control, after?.control)];
    if (before.takeover !== undefined) words.push(wordOf('takeover', said(before.takeover), said(after?.takeover)));
    if (before.federated !== undefined) {
      words.push(wordOf('for other cells', before.federated, after?.federated));
      words.push(wordOf('takeover', said(before.federatedTakeover), said(after?.federatedTakeover)));
    }
    stdout.write(`${cleanText(`${host}/${user}`)}: ${words.join(', ')}\n`);
  }
};

const asKeys = ({ federatedTakeover, ...others }: Shown['before']): object => ({
  ...others,
  ...(federatedTakeover === undefined ? {} : { federated_takeover: federatedTakeover }),
});

const said = (value: boolean | undefined): string => (value === undefined ? '' : value ? 'yes' : 'no');

/** `control lifecycle -> deploy`; without an arrow where it stays. */
const wordOf = (key: string, before: string, after: string | undefined): string =>
  `${key} ${cleanText(before)}${after === undefined || after === '' || after === before ? '' : ` -> ${after}`}`;
