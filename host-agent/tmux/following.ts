/**
 * In: a session that may be attached to. Out: a list after each change that tmux announces, through one control
 * client. Never: output read, a size set, a hook fired by a question, or the client left behind.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import type { Wake } from '../../src/runtime/wake.ts';
import { ControlClient } from './control-client.ts';
import { controlLine, listCommands, newMark, subscriptionFormat } from './list-format.ts';
import { parseLists, type ServerList } from './list-parse.ts';
import { untilAborted } from './patience.ts';

export interface FollowOptions {
  tmuxPath: string;
  /** Path of a socket that passed `checkSocket` just now. */
  socket: string;
  sessionId: string;
  clock: Clock;
  /** A poke is a reason to list. */
  wake: Wake;
  /** Between calls of `isDue`. */
  checkMs: number;
  /** Wraps each wait for the server. */
  patient: <T>(answer: Promise<T>) => Promise<T>;
  /** Takes each list; answers how long it is good for without any news, or null to stop following. */
  onList: (list: ServerList) => number | null;
  /** While the client can be asked. */
  onClient: (client: ControlClient | null) => void;
  /** Cheap: whether a list is due though tmux announced nothing. */
  isDue: () => boolean;
}

/** See, but weigh nothing. */
const FLAGS = 'no-output,ignore-size';
/** A list costs the server time: at most a tenth of it, within these bounds of the pause after a list. */
const MIN_GAP_MS = 20;
const MAX_GAP_MS = 500;
/** Lateness is judged by `patient`; this only bounds how long replies of a hung server stay expected. */
const HUNG_MS = 24 * 3_600_000;
/** Lines that announce nothing new to list. */
const NO_NEWS = /^%(output|extended-output|pause|continue|message|config-error|exit) ?/;

const listThrough = async (client: ControlClient, nowMs: () => number): Promise<ServerList> => {
  const mark = newMark();
  const asked = listCommands(mark).map((command) => client.command(controlLine(command), { timeoutMs: HUNG_MS }));
  const lines = (await Promise.all(asked)).flat();
  return parseLists(lines.map((line) => line.toString('utf8')).join('\n'), mark, nowMs());
};

/** Returns when there may be news, or after `goodForMs`. */
const untilNews = async (goodForMs: number, { wake, checkMs, isDue }: FollowOptions, signal: AbortSignal) => {
  const timer = setInterval(() => {
    if (isDue()) wake.poke();
  }, checkMs);
  await wake.wait(goodForMs, signal);
  clearInterval(timer);
};

const follow = async (client: ControlClient, options: FollowOptions, signal: AbortSignal): Promise<void> => {
  const { clock, wake, patient } = options;
  await patient(untilAborted(client.opened, signal));
  if (signal.aborted) return;
  const subscribed = client.command(`refresh-client -B 'fleet::${subscriptionFormat()}'`, { timeoutMs: HUNG_MS });
  await patient(untilAborted(subscribed, signal));
  options.onClient(client);
  while (!signal.aborted) {
    const startMs = clock.monotonicMs();
    const list = await patient(untilAborted(listThrough(client, clock.nowMs), signal));
    const goodForMs = list && options.onList(list);
    if (list === null || goodForMs === null) return;
    if (list.interleaved) wake.poke();
    const tookMs = clock.monotonicMs() - startMs;
    await sleep(Math.min(Math.max(MIN_GAP_MS, 9 * tookMs), MAX_GAP_MS), signal);
    await untilNews(goodForMs, options, signal);
  }
};

/**
 * Follows until the signal aborts, `onList` says stop or the client ends, whose last words it returns. Throws
 * INTERNAL for a list that is not understood, and RESOURCE_EXHAUSTED.
 */
export const followServer = async (options: FollowOptions, signal: AbortSignal): Promise<string> => {
  const { tmuxPath, socket, sessionId, wake } = options;
  const client = new ControlClient({ tmuxPath, socket, sessionId, flags: FLAGS });
  using _heard = client.onNotification((line) => {
    if (!NO_NEWS.test(line.subarray(0, 32).toString('latin1'))) wake.poke();
  });
  const ended = new AbortController();
  void client.closed.then(() => ended.abort());
  try {
    client.start();
    await follow(client, options, AbortSignal.any([signal, ended.signal]));
  } catch (error) {
    // The client ended, or its session did between two questions: no fault of the server.
    const isEnd = error instanceof FleetError && ['UNAVAILABLE', 'FAILED_PRECONDITION'].includes(error.code);
    if (!isEnd) throw error;
  } finally {
    options.onClient(null);
    await client.close();
  }
  return (await client.closed).words;
};
