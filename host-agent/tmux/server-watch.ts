/**
 * In: one found tmux server. Out: its newest reading, from a control client where that is harmless, else from
 * polled lists. Never: a hung server delaying anybody else, or its last known sessions dropped because of it.
 *
 *   surveying ──harmless──▶ following ──client ended, or no longer harmless──▶ surveying
 *       ├──not─────────────▶ polling ──pollMs──▶ surveying
 *       └──harmless soon───▶ settling ──settleMs──▶ surveying
 */
import { backoffDelayMs } from '../../src/runtime/backoff.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import { Wake } from '../../src/runtime/wake.ts';
import type { TmuxProblem, TmuxServer } from '../inventory/source.ts';
import { chooseFollowing, type FollowChoice, hookRisk, mustSettle } from './attach-risk.ts';
import type { ControlClient } from './control-client.ts';
import type { FoundServer } from './discovery.ts';
import { followServer } from './following.ts';
import type { ServerList } from './list-parse.ts';
import { withLateness } from './patience.ts';
import { readProcessStat } from './process-stat.ts';
import { checkSocket } from './socket-safety.ts';
import { type Answer, type Surveyor, surveyHooks, surveyServer } from './survey.ts';
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
  /** Without a change before a server that is vulnerable meanwhile is attached to. */
  settleMs: number;
  /** Between lists of a followed server that announces nothing. */
  tickMs: number;
  /** Between glances at the state of a followed server's process. */
  checkMs: number;
  /** After this long without an answer the server has the problem `timeout`. */
  answerMs: number;
  onChange: () => void;
  /** The server says, or seems, to be gone: whoever discovered it should look again. */
  onGone: () => void;
}

/** tmux up to 3.6 can say dead before it knows the status (tmux#4841). */
const STATUS_RETRIES_MS = [100, 300, 1_000];
/** A client that leaves sooner was perhaps sent away. */
const BRIEF_FOLLOW_MS = 1_000;
const MAX_BRIEF_FOLLOWS = 3;

export class ServerWatch {
  readonly #options: ServerWatchOptions;
  readonly #wake = new Wake();
  readonly #firstLook = Promise.withResolvers<void>();
  #server: TmuxServer;
  #unreachable: string | null;
  /** What the last survey found, while waiting for another one to find the same. */
  #structure: string | null = null;
  /** Of a followed server. */
  #client: ControlClient | null = null;
  #hasLooked = false;
  #printed = '';
  #statusRetries = 0;
  #unanswered = 0;
  #briefFollows = 0;

  constructor(options: ServerWatchOptions) {
    this.#options = options;
    this.#unreachable = options.found.unreachable;
    const { socket, pid, startTicks } = options.found;
    this.#server = {
      socket,
      pid,
      startTicks,
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

  /** The client that follows the server, for questions that need no client of their own; null where there is none. */
  get client(): ControlClient | null {
    return this.#client;
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
    const { clock, pollMs, settleMs } = this.#options;
    const list = this.#accept(await this.#patient(surveyServer(surveyor, clock.nowMs)), signal);
    if (!list) {
      await this.#wake.wait(pollMs, signal);
      return;
    }
    const choice = await this.#choose(list, surveyor);
    if (signal.aborted) return;
    this.#apply(list, 'poll' in choice ? choice.poll : null);
    if ('poll' in choice) await this.#wake.wait(pollMs, signal);
    else if (choice.follow === null) await sleep(settleMs, signal);
    else await this.#follow(choice.follow.id, surveyor.socket, signal);
  }

  /** Whether a second survey, taken a while after the first, found nothing changed. */
  #hasSettled(list: ServerList): boolean {
    const structure = JSON.stringify(list.sessions.map(({ id, name, group, paneIds }) => [id, name, group, paneIds]));
    const hasSettled = !mustSettle(list.traits) || structure === this.#structure;
    this.#structure = hasSettled ? null : structure;
    return hasSettled;
  }

  /** `follow: null` is not yet. */
  async #choose(list: ServerList, surveyor: Surveyor): Promise<FollowChoice | { follow: null }> {
    if (this.#briefFollows > MAX_BRIEF_FOLLOWS) {
      this.#briefFollows -= 1;
      return { poll: 'our control clients are sent away' };
    }
    const choice = chooseFollowing(list.sessions, list.traits);
    if ('poll' in choice) return choice;
    if (!this.#hasSettled(list)) return { follow: null };
    const hooks = await this.#patient(surveyHooks(surveyor, choice.follow.id));
    if (hooks.kind !== 'listed') return { poll: 'its hooks could not be read' };
    const risk = hookRisk(hooks.value);
    return risk === null ? choice : { poll: risk };
  }

  /** A session that ends takes the client with it, which is no fault; a client that never stays is not forced. */
  async #follow(sessionId: string, socket: string, signal: AbortSignal): Promise<void> {
    const { tmuxPath, clock, checkMs, log } = this.#options;
    const startMs = clock.monotonicMs();
    const words = await followServer(
      {
        tmuxPath,
        socket,
        sessionId,
        clock,
        checkMs,
        wake: this.#wake,
        patient: (answer) => this.#patient(answer),
        onList: (list) => {
          this.#apply(list, null);
          return 'follow' in chooseFollowing(list.sessions, list.traits) ? this.#goodForMs() : null;
        },
        onClient: (client) => {
          this.#client = client;
        },
        isDue: () => this.#isDue(),
      },
      signal,
    );
    log.debug({ socket, words }, 'tmux control client ended');
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

  /** A healthy server that says nothing sleeps: one that does not is asked, as a stopped one would not answer. */
  #isDue(): boolean {
    const { pid, problem } = this.#server;
    return problem !== null || (pid !== null && readProcessStat(this.#options.procRoot, pid)?.state !== 'S');
  }

  #patient<T>(answer: Promise<T>): Promise<T> {
    const { answerMs } = this.#options;
    return withLateness(answer, answerMs, () =>
      this.#fail({ code: 'timeout', words: `no answer from the tmux server for ${answerMs} ms` }),
    );
  }

  /** A server that ends is dropped by its discoverer; one that stays without answering has a problem. */
  #gone(): void {
    this.#unanswered += 1;
    this.#firstLook.resolve();
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
      startTicks: found.startTicks,
      version: list.traits.version ?? this.#server.version,
      problem: null,
      polled,
      sessions: list.sessions,
      panes,
    });
  }

  #goodForMs(): number {
    const retryMs = this.#statusRetries === 0 ? undefined : STATUS_RETRIES_MS[this.#statusRetries - 1];
    return retryMs ?? this.#options.tickMs;
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
