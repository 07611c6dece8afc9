/**
 * One agent's screen as it is watched: the last picture, what is said of it, and since when nothing was heard. It goes
 * on by itself over breaks; the picture stays. Ends only with the session, or for good reasons.
 */

import { FleetError } from '../../domain/errors.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Listeners } from '../../runtime/listeners.ts';
import { ScreenLog, type ScreenPicture } from '../../screen/screen-log.ts';
import type { TerminalEnd, TerminalStatus, WatchTerminalResponse } from '../../wire/gen/fleet/v1/terminal.ts';
import { watchTerminal } from '../client/terminal-methods.ts';
import { type AgentPlace, runPersistently } from './persistent-stream.ts';
import type { SharedLine } from './shared-line.ts';

export interface WatchedAgentOptions {
  /** `cell/host/user/agent`. */
  address: string;
  place: AgentPlace;
  line: SharedLine;
  minIntervalMs: number;
  find: (signal: AbortSignal) => Promise<AgentPlace | null>;
  clock: Clock;
}

/** `broken` says why, in words of an error. */
export type ViewConnection = { state: 'opening' | 'live' } | { state: 'broken'; reason: string };

/** The service says something every 2 s. */
const STALL_MS = 15_000;

export class WatchedAgent {
  readonly address: string;
  connection: ViewConnection = { state: 'opening' };
  status: TerminalStatus | null = null;
  end: TerminalEnd | null = null;
  /** What ended the view though the session has not; asking again would not change it. */
  failure: FleetError | null = null;
  readonly #options: WatchedAgentOptions;
  readonly #log = new ScreenLog();
  readonly #listeners = new Listeners();
  #statusMono = 0;
  /** When the picture was last known to be what the screen shows. */
  #provenMono: number;

  constructor(options: WatchedAgentOptions) {
    this.#options = options;
    this.address = options.address;
    this.#provenMono = options.clock.monotonicMs();
  }

  get picture(): ScreenPicture | null {
    return this.#log.picture;
  }

  /** A frame, another status, a break, the end. */
  onChange(listener: () => void): Disposable {
    return this.#listeners.add(listener);
  }

  /** Since the picture was last known to be what the screen shows. */
  silentMs(nowMono: number): number {
    return Math.max(0, nowMono - this.#provenMono);
  }

  /** Time that the line to the agent's host is in its state. */
  linkAgeMs(nowMono: number): number {
    return (this.status?.link?.ageMs ?? 0) + Math.max(0, nowMono - this.#statusMono);
  }

  /** Resolves with the end, or null at the signal; throws what asking again would not change. */
  async run(signal: AbortSignal): Promise<TerminalEnd | null> {
    const { minIntervalMs, line, place, find, clock } = this.#options;
    try {
      await runPersistently(
        {
          line,
          method: watchTerminal,
          place,
          request: (at) => ({ hostAgent: at.hostAgent, key: at.key, minIntervalMs }),
          onMessage: (message) => this.#take(message),
          onBroken: (reason) => this.#moveTo({ state: 'broken', reason }),
          find,
          clock,
          stallMs: STALL_MS,
        },
        signal,
      );
    } catch (error) {
      if (!(error instanceof FleetError)) throw error;
      if (error.code !== 'NOT_FOUND' || this.picture === null) {
        this.failure = error;
        this.#listeners.emit();
        throw error;
      }
      this.end = { reason: 'agent_removed', detail: 'its host has no agent of that name any more' };
      this.#listeners.emit();
    }
    return this.end;
  }

  #take({ frame, status, end }: WatchTerminalResponse): boolean {
    const now = this.#options.clock.monotonicMs();
    if (frame) {
      this.#log.apply(frame);
      // A whole picture may be one that was kept while its host was away; only the status knows.
      if (!frame.keyframe) this.#provenMono = now;
    }
    if (status) {
      this.status = status;
      this.#statusMono = now;
      this.#provenMono = now - Math.max(0, status.silentMs);
    }
    if (end) this.end = end;
    this.#moveTo({ state: 'live' });
    return end !== undefined;
  }

  #moveTo(connection: ViewConnection): void {
    this.connection = connection;
    this.#listeners.emit();
  }
}
