import { parseAddress } from '../../domain/address.ts';
import { cleanText } from '../../domain/clean-text.ts';
import { FleetError } from '../../domain/errors.ts';
import { WAIT_CONDITIONS, type WaitCondition } from '../../domain/wait-condition.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Paths } from '../../runtime/paths.ts';
import { hostAgentEndpoint } from '../client/endpoints.ts';
import { LiveView } from '../client/live-view.ts';
import type { CommandContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { followLive } from '../live-loop.ts';
import { spanMs } from '../orders/time-span.ts';
import { linesOf, writeAll } from '../output.ts';
import { jsonText } from '../render/json.ts';
import { UsageError } from '../usage-error.ts';
import { AwaitedAgent, type Look } from '../wait/awaited-agent.ts';
import { waitLine, waitObject } from '../wait/wait-text.ts';

/** A host-agent that was asked gets this long to answer at all, also where nothing is waited for. */
const FIRST_ANSWER_MS = 5_000;
/** Time for the look at the end. */
const MARGIN_MS = 500;
const LONGEST = { leastMs: 0, mostMs: 7 * 24 * 3_600_000 };

export const run = async (context: CommandContext): Promise<number> => {
  const { positionals, flags, signal } = context;
  const conditions = (flags.for as WaitCondition[] | undefined) ?? [];
  if (conditions.length === 0)
    throw new UsageError(`fleet wait: --for what? One or more of ${WAIT_CONDITIONS.join(', ')}`);
  const timeoutMs = spanMs('timeout', flags.timeout as string, LONGEST);
  const awaited = new AwaitedAgent(parseAddress(positionals[0] as string), conditions);
  const beganMono = systemClock.monotonicMs();
  const look = await lookUntil(context, awaited, timeoutMs);
  if (look?.condition == null) signal.throwIfAborted();
  if (look === null) throw unanswered(context.paths);
  const isMet = look.condition !== null;
  const outcome = isMet ? 'met' : awaited.wasCurrent ? 'timed-out' : 'not-current';
  const waitedMs = systemClock.monotonicMs() - beganMono;
  const line = flags.output === 'json' ? jsonText(waitObject(look, outcome, waitedMs)) : cleanText(waitLine(look));
  await writeAll(context.stdout, linesOf([line]));
  if (isMet) return EXIT.done;
  context.stderr.write(`${cleanText(`fleet: ${whyNot(look, conditions, flags.timeout as string, outcome)}`)}\n`);
  return outcome === 'timed-out' ? EXIT.timedOut : EXIT.unreachable;
};

/** The last look; null where the host-agent never told a whole view. */
const lookUntil = async (
  { paths, signal }: CommandContext,
  awaited: AwaitedAgent,
  timeoutMs: number,
): Promise<Look | null> => {
  const live = new LiveView({
    endpoint: hostAgentEndpoint(paths),
    localOnly: false,
    hostsOnly: false,
    clock: systemClock,
  });
  const over = new AbortController();
  const endMono = systemClock.monotonicMs() + timeoutMs;
  const last: { look: Look | null } = { look: null };
  const take = async (): Promise<void> => {
    const now = systemClock.monotonicMs();
    last.look = awaited.look(live.mirror, now);
    if (last.look.condition !== null || now >= endMono) over.abort();
  };
  const giveUp = setTimeout(() => over.abort(), Math.max(timeoutMs, FIRST_ANSWER_MS) + MARGIN_MS);
  let lastLook: NodeJS.Timeout | undefined;
  try {
    await followLive(live, AbortSignal.any([signal, over.signal]), take, (ask) => {
      lastLook = setTimeout(ask, timeoutMs);
    });
  } finally {
    clearTimeout(giveUp);
    clearTimeout(lastLook);
  }
  return last.look;
};

const unanswered = ({ context }: Paths): FleetError =>
  new FleetError(
    'UNAVAILABLE',
    context === null
      ? 'the host-agent of this machine told nothing: systemctl --user status fleet-host-agent'
      : `the controller of context ${context} told nothing: ask again`,
  );

const whyNot = (
  { address, doubt }: Look,
  conditions: readonly WaitCondition[],
  timeout: string,
  outcome: string,
): string => {
  const wished = conditions.join(' or ');
  if (outcome === 'not-current') return `${address}: not current the whole time (${doubt}), so nothing is known of it`;
  return `${address} was not ${wished} within ${timeout}${doubt === null ? '' : `; not current now (${doubt})`}`;
};
