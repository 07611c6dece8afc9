/**
 * In: one found tmux server. Out: its newest reading, from a control client where that is harmless, else from
 * polled lists. Never: a hung server delaying anybody else, or its last known sessions dropped because of it.
 *
 *   surveying ──harmless──▶ following ──client ended, or no longer harmless──▶ surveying
 *       └──────not────────▶ polling ──pollMs──▶ surveying
 */
import { backoffDelayMs } from '../../src/runtime/backoff.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import type { TmuxProblem, TmuxServer } from '../inventory/source.ts';
import { chooseFollowing, type FollowChoice, hookRisk } from './attach-risk.ts';
import { ControlClient } from './control-client.ts';
import type { FoundServer } from './discovery.ts';
import { controlLine, listCommands, newMark, subscriptionFormat } from './list-format.ts';
import { parseLists, type ServerList } from './list-parse.ts';
import { checkSocket } from './socket-safety.ts';
import { type Answer, type Surveyor, surveyHooks, surveyServer } from './survey.ts';
import { Wake } from './wake.ts';
import { lacksStatus, withZombie } from './zombie-pane.ts';

export interface ServerWatchOptions {
  found: FoundServer;
  uid: number;
  tmuxPath: string;
  procRoot: string;
  clock: Clock;
  log: Logger;
  /** Between lists of a server that is not followed. */
  pollMs: number;
  /** Between lists of a followed server that reports nothing. */
  tickMs: number;
  /** Between questions whether a quiet followed server still answers. */
  pingMs: number;
  /** After this long without an answer the server has the problem `timeout`. */
  answerMs: number;
  onChange: () => void;
  /** The server says, or seems, to be gone: whoever discovered it should look again. */
  onGone: () => void;
}

/** Flags of attach-session: see, but weigh nothing. */
const FOLLOW_FLAGS = 'no-output,ignore-size';
/** A list costs the server time: at most a tenth of it, within these bounds of the pause after a list. */
const MIN_GAP_MS = 20;
const MAX_GAP_MS = 500;
/** tmux up to 3.6 can say dead before it knows the status (tmux#4841). */
const STATUS_RETRIES_MS = [100, 300, 1_000];
/** Lines that announce nothing new to list. */
const NO_NEWS = /^%(output|extended-output|pause|continue|message|config-error|exit) ?/;

/** A client that leaves sooner was perhaps sent away. */
const BRIEF_FOLLOW_MS = 1_000;

/** Lateness is judged apart; this only bounds how long replies of a hung server stay expected. */
const HUNG_MS = 24 * 3_600_000;

const LATE = Symbol('late');

export class ServerWatch {
  readonly #options: ServerWatchOptions;
  readonly #wake = new Wake();
  readonly #firstLook = Promise.withResolvers<void>();
  #server: TmuxServer;
  #unreachable: string | null;
  #hasLooked = false;
  #printed = '';
  #statusRetries = 0;
  #unanswered = 0;
  #briefFollows = 0;

  constructor(options: ServerWatchOptions) {
    this.#options = options;
    this.#unreachable = options.found.unreachable;
    const { socket, pid, startedMs } = options.found;
    this.#server = {
      socket,
      pid,
      startedMs,
      version: null,
      problem: null,
      polled: null,
      sessions: [],
      panes: new Map(),
    };
  }

  /** null until the first answer, or until that is late. */
  get current(): TmuxServer | null {
    return this.#hasLooked ? this.#server : null;
  }

  /** Tells whether new clients can reach the server; a client that is attached already does not care. */
  reachable(unreachable: string | null): void {
    if (this.#unreachable === unreachable) return;
    this.#unreachable = unreachable;
    this.#wake.poke();
  }

  /** Resolves after the first answer, or when it is late. */
  get firstLook(): Promise<void> {
    return this.#firstLook.promise;
  }

  /** Ends when the signal aborts and no client of ours is left. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#once(signal);
      } catch (error) {
        if (signal.aborted) break;
        this.#options.log.warn({ socket: this.#server.socket, err: error }, 'tmux server could not be read');
        this.#fail({ code: 'failed', words: (error as Error).message });
        await this.#wake.wait(this.#options.pollMs, signal);
      }
    }
    this.#firstLook.resolve();
  }

  async #once(signal: AbortSignal): Promise<void> {
    const surveyor = this.#surveyor(signal);
    if (!surveyor) {
      await this.#wake.wait(this.#options.pollMs, signal);
      return;
    }
    const { clock, pollMs } = this.#options;
    const list = this.#accept(await this.#sayIfLate(surveyServer(surveyor, clock.nowMs)), signal);
    if (!list) {
      await this.#wake.wait(pollMs, signal);
      return;
    }
    const choice = await this.#choose(list, surveyor);
    if (signal.aborted) return;
    this.#apply(list, 'poll' in choice ? choice.poll : null);
    if ('poll' in choice) await this.#wake.wait(pollMs, signal);
    else await this.#followPatiently(choice.follow.id, surveyor.socket, signal);
  }

  async #choose(list: ServerList, surveyor: Surveyor): Promise<FollowChoice> {
    const choice = chooseFollowing(list.sessions, list.traits);
    if ('poll' in choice) return choice;
    const hooks = await this.#sayIfLate(surveyHooks(surveyor, choice.follow.id));
    if (hooks.kind !== 'listed') return { poll: 'its hooks could not be read' };
    const risk = hookRisk(hooks.value);
    return risk === null ? choice : { poll: risk };
  }

  /** A session that ends takes the client with it, which is no fault; a client that never stays is not forced. */
  async #followPatiently(sessionId: string, socket: string, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const startMs = clock.monotonicMs();
    await this.#follow(sessionId, socket, signal);
    this.#briefFollows = clock.monotonicMs() - startMs < BRIEF_FOLLOW_MS ? this.#briefFollows + 1 : 0;
    if (this.#briefFollows > 1) await this.#wake.wait(backoffDelayMs(this.#briefFollows), signal);
  }

  /** null after having said why no client may connect. */
  #surveyor(signal: AbortSignal): Surveyor | null {
    const { found, uid, tmuxPath } = this.#options;
    if (this.#unreachable !== null) {
      this.#fail({ code: 'refused', words: this.#unreachable });
      return null;
    }
    const verdict = checkSocket(found.socket, uid);
    if (verdict.verdict === 'unsafe') this.#fail({ code: 'unsafe_socket', words: verdict.words });
    if (verdict.verdict === 'gone') this.#gone();
    return verdict.verdict === 'safe' ? { tmuxPath, socket: verdict.path, signal } : null;
  }

  #accept(answer: Answer<ServerList>, signal: AbortSignal): ServerList | null {
    if (signal.aborted) return null;
    if (answer.kind === 'problem') this.#fail(answer.problem);
    if (answer.kind === 'gone') this.#gone();
    if (answer.kind !== 'listed') return null;
    this.#unanswered = 0;
    return answer.value;
  }

  async #follow(sessionId: string, socket: string, signal: AbortSignal): Promise<void> {
    const { tmuxPath, answerMs, log } = this.#options;
    const client = new ControlClient({ tmuxPath, socket, sessionId, flags: FOLLOW_FLAGS });
    const ended = new AbortController();
    void client.closed.then(({ words }) => {
      log.debug({ socket, words }, 'tmux control client ended');
      ended.abort();
    });
    using _heard = client.onNotification((line) => {
      if (!NO_NEWS.test(line.subarray(0, 32).toString('latin1'))) this.#wake.poke();
    });
    try {
      client.start();
      const either = AbortSignal.any([signal, ended.signal]);
      await this.#sayIfLate(untilAborted(client.opened, either));
      if (either.aborted) return;
      const subscribe = client.command(`refresh-client -B 'fleet::${subscriptionFormat()}'`, { timeoutMs: answerMs });
      subscribe.catch((error) => log.debug({ socket, err: error }, 'tmux refused the subscription'));
      while (!either.aborted) {
        const startMs = this.#options.clock.monotonicMs();
        const list = await this.#sayIfLate(untilAborted(this.#list(client), either));
        if (!list) return;
        this.#apply(list, null);
        if ('poll' in chooseFollowing(list.sessions, list.traits)) return;
        if (list.interleaved) this.#wake.poke();
        const tookMs = this.#options.clock.monotonicMs() - startMs;
        await sleep(Math.min(Math.max(MIN_GAP_MS, 9 * tookMs), MAX_GAP_MS), either);
        await this.#untilNews(client, sessionId, either);
      }
    } finally {
      await client.close();
    }
  }

  /** Returns when there may be news; asks now and then whether the server is there at all, and looks for zombies. */
  async #untilNews(client: ControlClient, sessionId: string, signal: AbortSignal): Promise<void> {
    const { clock, pingMs, tickMs, procRoot } = this.#options;
    const endMs = clock.monotonicMs() + (this.#retryMs() ?? tickMs);
    for (;;) {
      const leftMs = endMs - clock.monotonicMs();
      if ((await this.#wake.wait(Math.min(leftMs, pingMs), signal)) || signal.aborted || leftMs <= pingMs) return;
      // No hook follows has-session, whatever its answer.
      const answer = client.command(`has-session -t '${sessionId}'`, { timeoutMs: HUNG_MS }).catch(() => []);
      await this.#sayIfLate(untilAborted(answer, signal));
      const panes = [...this.#server.panes.values()];
      if (this.#server.problem !== null || panes.some((pane) => withZombie(pane, procRoot) !== pane)) return;
    }
  }

  async #list(client: ControlClient): Promise<ServerList> {
    const mark = newMark();
    const asked = listCommands(mark).map((command) => client.command(controlLine(command), { timeoutMs: HUNG_MS }));
    const lines = (await Promise.all(asked)).flat();
    const text = lines.map((line) => line.toString('utf8')).join('\n');
    return parseLists(text, mark, this.#options.clock.nowMs());
  }

  /** Waits as long as it takes, and says `timeout` meanwhile: the asking client is left alone to be answered. */
  async #sayIfLate<T>(promise: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<typeof LATE>((resolve) => {
      timer = setTimeout(resolve, this.#options.answerMs, LATE);
    });
    try {
      if ((await Promise.race([promise, late])) === LATE) {
        this.#fail({ code: 'timeout', words: `no answer from the tmux server for ${this.#options.answerMs} ms` });
      }
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** A server that ends is dropped by its discoverer; one that stays without answering has a problem. */
  #gone(): void {
    this.#unanswered += 1;
    if (this.#unanswered > 1) this.#fail({ code: 'refused', words: 'the server lives but refuses connections' });
    this.#options.onGone();
  }

  #fail(problem: TmuxProblem): void {
    this.#publish({ ...this.#server, problem });
  }

  #apply(list: ServerList, polled: string | null): void {
    const { found, procRoot } = this.#options;
    const panes = new Map([...list.panes].map(([id, pane]) => [id, withZombie(pane, procRoot)]));
    this.#statusRetries = [...panes.values()].some(lacksStatus) ? this.#statusRetries + 1 : 0;
    this.#publish({
      socket: found.socket,
      pid: found.pid ?? list.pid,
      startedMs: found.startedMs,
      version: list.traits.version ?? this.#server.version,
      problem: null,
      polled,
      sessions: list.sessions,
      panes,
    });
  }

  #retryMs(): number | undefined {
    return this.#statusRetries === 0 ? undefined : STATUS_RETRIES_MS[this.#statusRetries - 1];
  }

  #publish(server: TmuxServer): void {
    const printed = JSON.stringify({ ...server, panes: [...server.panes] });
    this.#server = server;
    this.#hasLooked = true;
    this.#firstLook.resolve();
    if (printed === this.#printed) return;
    this.#printed = printed;
    this.#options.onChange();
  }
}

/** null when the signal aborted first; a later failure of the promise is nobody's any more. */
const untilAborted = async <T>(promise: Promise<T>, signal: AbortSignal): Promise<T | null> => {
  const aborted = Promise.withResolvers<null>();
  const abort = () => aborted.resolve(null);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([
      promise.catch((error) => (signal.aborted ? null : Promise.reject(error))),
      aborted.promise,
    ]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
};
