/**
 * One WatchTerminal at a host, kept up for as long as anybody wants it: asked anew when the line broke and when a shorter
 * interval is wanted. Says what the host said, and each end that it did not wish for.
 */
import { FleetError } from '../../src/domain/errors.ts';
import type { OnBehalfOf } from '../../src/wire/gen/fleet/v1/host_agent.ts';
import type { WatchTerminalResponse } from '../../src/wire/gen/fleet/v1/terminal.ts';
import type { HostCalls, Watchers } from '../uplink/host-calls.ts';
import type { Tunnels } from '../uplink/tunnels.ts';

export interface HostWatchOptions {
  hostAgent: string;
  key: string;
  calls: Pick<HostCalls, 'stream'>;
  tunnels: Pick<Tunnels, 'onChange'>;
  watchers: Watchers;
  /** On whose behalf, and the least of the intervals that are wanted; read at each asking. */
  wish(): { caller: OnBehalfOf; minIntervalMs: number };
  take(message: WatchTerminalResponse): void;
  /** The call on behalf of that caller is over. True: ask again, at once when the host is back, else in a while. */
  broke(error: FleetError, caller: OnBehalfOf): boolean;
}

const RETRY_MS = 1_000;

/** One call at the host. */
interface Attempt {
  caller: OnBehalfOf;
  intervalMs: number;
  end: AbortController;
}

export class HostWatch {
  readonly #options: HostWatchOptions;
  #returns: Disposable | null = null;
  #attempt: Attempt | null = null;
  /** Takes the place of the attempt when the host shows something to it; refused, it changes nothing. */
  #faster: Attempt | null = null;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: HostWatchOptions) {
    this.#options = options;
  }

  start(): void {
    const { tunnels, hostAgent } = this.#options;
    this.#returns = tunnels.onChange((id) => {
      if (id === hostAgent && this.#attempt === null) this.#ask();
    });
    this.#ask();
  }

  /** Asks anew if more is wanted than was asked for. */
  hurry(): void {
    const asked = this.#faster ?? this.#attempt;
    if (asked !== null && this.#options.wish().minIntervalMs < asked.intervalMs) this.#ask();
  }

  /** The host is told at once. */
  stop(): void {
    this.#returns?.[Symbol.dispose]();
    this.#returns = null;
    clearTimeout(this.#retry);
    const attempts = [this.#attempt, this.#faster];
    this.#attempt = null;
    this.#faster = null;
    for (const attempt of attempts) attempt?.end.abort();
  }

  #ask(): void {
    clearTimeout(this.#retry);
    const { hostAgent, key, calls, watchers } = this.#options;
    const { caller, minIntervalMs } = this.#options.wish();
    const attempt = { caller, intervalMs: minIntervalMs, end: new AbortController() };
    const before = this.#faster;
    if (this.#attempt === null) this.#attempt = attempt;
    else this.#faster = attempt;
    before?.end.abort();
    const options = { caller, signal: attempt.end.signal, deadlineMs: 0, watchers };
    calls
      .stream(hostAgent, 'watchTerminal', { hostAgent, key, minIntervalMs }, options, (message, bytes, taken) => {
        taken(bytes);
        this.#take(attempt, message);
      })
      .then(
        () => this.#over(attempt, new FleetError('UNAVAILABLE', `${hostAgent} stopped showing this screen`)),
        (error: unknown) => this.#over(attempt, error),
      );
  }

  #take(attempt: Attempt, message: WatchTerminalResponse): void {
    if (attempt === this.#faster) {
      const before = this.#attempt;
      this.#attempt = attempt;
      this.#faster = null;
      before?.end.abort();
    }
    if (attempt === this.#attempt) this.#options.take(message);
  }

  #over(attempt: Attempt, error: unknown): void {
    if (attempt === this.#faster) {
      this.#faster = null;
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.hurry(), RETRY_MS);
      return;
    }
    if (attempt !== this.#attempt) return;
    this.#attempt = this.#faster;
    this.#faster = null;
    if (this.#attempt !== null) return;
    clearTimeout(this.#retry);
    const isKnown = error instanceof FleetError;
    const isWanted = this.#options.broke(
      isKnown ? error : new FleetError('INTERNAL', 'watching failed', { cause: error }),
      attempt.caller,
    );
    if (isWanted && this.#returns !== null) this.#retry = setTimeout(() => this.#ask(), RETRY_MS);
  }
}
