/**
 * `fleet start`, `stop`, `restart` and `reset`: who is meant is said first, asked for where it is many, then told agent by agent.
 * One line or one object for each; the exit code says whether all, some or none had success.
 */
import { cleanText } from '../../domain/clean-text.ts';
import type { LifecycleVerb } from '../../domain/order.ts';
import { systemClock } from '../../runtime/clock.ts';
import { shellWord } from '../../runtime/quote.ts';
import { takeSnapshot } from '../client/snapshot.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import type { AgentTarget, OrderPlace } from '../orders/change-target.ts';
import { checkOrderId, orderId } from '../orders/order-id.ts';
import { nextStep } from '../orders/outcome-text.ts';
import { fleetWords } from '../orders/shell-word.ts';
import { LONGEST_ORDER, spanMs } from '../orders/time-span.ts';
import { jsonText } from '../render/json.ts';
import { UsageError } from '../usage-error.ts';
import { askMany } from './ask-many.ts';
import { holderPlace } from './holder-place.ts';
import { namedAgents, partId } from './named-agents.ts';
import { giveOrder, notCurrent, type OneOrder, refused, type Told } from './one-order.ts';
import { exitCodeOfAll, rollOut } from './rolling.ts';
import { type Selection, selectAgents } from './select-agents.ts';
import { orderObject, plannedLine, plannedObject, toldLine, toldObject } from './told-text.ts';

/** Starts and stops on one host at a time; what may take an agent away for a while has its own bound. */
const AT_ONCE = 8;

export const runLifecycle = async (context: CommandContext, verb: LifecycleVerb): Promise<number> => {
  const { flags, paths, signal, stdout } = context;
  const selection = selectionOf(context);
  const timeoutMs = spanMs('timeout', flags.timeout as string, LONGEST_ORDER);
  const mostAway = isRolling(verb) ? countOf(flags['max-unavailable'] as string) : null;
  const given = flags.id as string | undefined;
  if (given !== undefined) checkOrderId(given);
  const mirror = await takeSnapshot(paths, { localOnly: false, hostsOnly: false, clock: systemClock, signal });
  const intent = verb === 'stop' || verb === 'reset' ? 'destroy' : 'change';
  const { named, holder } = selection;
  const isRepeated = given !== undefined && named.length > 0 && !flags['dry-run'];
  const { agents, before } = isRepeated
    ? await namedAgents(paths, mirror, named, { verb, intent, given }, signal)
    : { agents: holder === null ? selectAgents(mirror, selection, intent) : [holderPlace(mirror, holder)], before: [] };
  if (flags['dry-run']) return plan(context, verb, agents);
  if (agents.length > 0) await askMany(context, verb, agents, { isNamed: named.length > 0 || holder !== null });
  const isSole = (named.length === 1 || holder !== null) && agents.length === 1;
  const orders = new Map(
    agents.map((agent): [OrderPlace, OneOrder] => {
      const id = given === undefined || isSole ? orderId(given) : partId(given, agent.address);
      return [agent, { id, verb, agent, force: flags.force === true, adopt: flags.adopt === true, timeoutMs }];
    }),
  );
  announce(context, [...before.map(({ agent, outcome: { id } }) => ({ agent, id })), ...orders.values()]);
  for (const one of before) tell(context, one);
  const rolled = await rollOut(agents, {
    atOnce: mostAway ?? AT_ONCE,
    mostLost: mostAway,
    give: (agent) => give(context, orders.get(agent) as OneOrder),
    skip: (agent, reason) => {
      const outcome = refused(orders.get(agent) as OneOrder, reason);
      return { agent, outcome, exitCode: EXIT.refused };
    },
    onTold: (one) => tell(context, one),
  });
  const told = [...before, ...rolled];
  if (flags.output === 'json') stdout.write(`${jsonText(toldObject(verb, told))}\n`);
  return exitCodeOfAll(told);
};

const selectionOf = ({ positionals, flags }: CommandContext): Selection => {
  const hosts = (flags.host as string[] | undefined) ?? [];
  const roles = (flags.role as string[] | undefined) ?? [];
  const holder = (flags.holder as string | undefined) ?? null;
  const isSelecting = flags.all === true || hosts.length > 0 || roles.length > 0;
  if (holder !== null && (isSelecting || positionals.length > 0)) {
    throw new UsageError('--holder means the holder alone: name agents by another command');
  }
  if (positionals.length > 0 && isSelecting) {
    throw new UsageError('name agents, or select them by --all, --host and --role: not both');
  }
  if (flags.adopt === true && positionals.length === 0) {
    throw new UsageError('--adopt needs agents by name: --all, --host and --role mean those of rosters');
  }
  if (positionals.length === 0 && !isSelecting && holder === null) {
    throw new UsageError('which agents? Name them, or select them by --all, --host and --role');
  }
  return { named: positionals, hosts, roles, holder };
};

const isRolling = (verb: LifecycleVerb): boolean => verb === 'restart' || verb === 'reset';

const countOf = (text: string): number => {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new UsageError(`--max-unavailable "${text}": a number of agents, 1 to 9999`);
};

/** Before anything is done. */
const announce = (
  { stderr }: CommandContext,
  orders: readonly (Pick<OneOrder, 'id'> & Pick<Told, 'agent'>)[],
): void => {
  for (const { id, agent } of orders) stderr.write(`${cleanText(agent.address)} · order ${id}\n`);
};

const give = async ({ paths, signal, stderr }: CommandContext, order: OneOrder): Promise<Told> => {
  const { address } = order.agent;
  try {
    return await giveOrder(paths, order, signal, (why) =>
      stderr.write(`${cleanText(`${address}: ${why}; asking what became of order ${order.id}`)}\n`),
    );
  } catch (error) {
    if (signal.aborted) stderr.write(`left; the order may go on: ${fleetWords(paths)} order ${order.id}\n`);
    throw error;
  }
};

const tell = ({ paths, flags, stdout, stderr }: CommandContext, told: Told): void => {
  if (flags.output === 'ndjson') stdout.write(`${jsonText(orderObject(told.outcome))}\n`);
  if (flags.output !== 'table') return;
  stdout.write(`${toldLine(told)}\n`);
  const next = nextStep(told.outcome, fleetWords(paths), shellWord(told.agent.typed));
  // A holder has no row that could be explained.
  const isTold = isAgent(told.agent) || told.outcome.outcome === 'pending';
  if (next !== null && isTold) stderr.write(`${next}\n`);
};

const plan = (
  { flags, stdout, stderr }: CommandContext,
  verb: LifecycleVerb,
  agents: readonly OrderPlace[],
): number => {
  const planned = agents.map((agent) => ({ agent, hindrance: hindranceOf(agent, flags.adopt === true) }));
  if (flags.output === 'json') stdout.write(`${jsonText(plannedObject(verb, planned))}\n`);
  else if (flags.output === 'ndjson') {
    const { orders } = plannedObject(verb, planned) as { orders: unknown[] };
    for (const order of orders) stdout.write(`${jsonText(order)}\n`);
  } else {
    for (const { agent, hindrance } of planned) {
      const readiness = isAgent(agent) ? agent.row.readiness : null;
      stdout.write(`${plannedLine(verb, agent, readiness, hindrance)}\n`);
    }
  }
  stderr.write('dry run: nothing was changed\n');
  return EXIT.done;
};

/** What can be told without its host. */
const hindranceOf = (agent: OrderPlace, adopt: boolean): string | null => {
  if (isAgent(agent) && !agent.row.managed && !adopt)
    return 'it is in no roster of its host: --adopt takes it as it is';
  return notCurrent(agent);
};

const isAgent = (place: Told['agent']): place is AgentTarget => 'row' in place;
