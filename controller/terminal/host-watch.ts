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

export class HostWatch {
  readonly #options: HostWatchOptions;
  #returns: Disposable | null = null;
  #attempt: AbortController | null = null;
  #askedIntervalMs = 0;
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
    if (this.#attempt !== null && this.#options.wish().minIntervalMs < this.#askedIntervalMs) this.#ask();
  }

  /** The host is told at once. */
  stop(): void {
    this.#returns?.[Symbol.dispose]();
    this.#returns = null;
    clearTimeout(this.#retry);
    const attempt = this.#attempt;
    this.#attempt = null;
    attempt?.abort();
  }

  /** The new call begins before the one that it replaces is given up, so that the host looks on in between. */
  #ask(): void {
    clearTimeout(this.#retry);
    const { hostAgent, key, calls, watchers, take } = this.#options;
    const { caller, minIntervalMs } = this.#options.wish();
    const attempt = new AbortController();
    const before = this.#attempt;
    this.#attempt = attempt;
    this.#askedIntervalMs = minIntervalMs;
    const options = { caller, signal: attempt.signal, deadlineMs: 0, watchers };
    calls
      .stream(hostAgent, 'watchTerminal', { hostAgent, key, minIntervalMs }, options, (message, bytes, taken) => {
        taken(bytes);
        if (attempt === this.#attempt) take(message);
      })
      .then(
        () => this.#over(attempt, caller, new FleetError('UNAVAILABLE', `${hostAgent} stopped showing this screen`)),
        (error: unknown) => this.#over(attempt, caller, error),
      );
    before?.abort();
  }

  #over(attempt: AbortController, caller: OnBehalfOf, error: unknown): void {
    if (attempt !== this.#attempt) return;
    this.#attempt = null;
    const isKnown = error instanceof FleetError;
    const isWanted = this.#options.broke(
      isKnown ? error : new FleetError('INTERNAL', 'watching failed', { cause: error }),
      caller,
    );
    if (isWanted && this.#returns !== null) this.#retry = setTimeout(() => this.#ask(), RETRY_MS);
  }
}
