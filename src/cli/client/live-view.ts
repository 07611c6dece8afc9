/**
 * A view kept current. A broken or silent stream is opened again from the last bookmark, for ever; what was known
 * stands meanwhile. It ends only by its signal, or by an answer that asking again would not change.
 */
import { FleetError } from '../../domain/errors.ts';
import { backoffDelayMs } from '../../runtime/backoff.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Listeners } from '../../runtime/listeners.ts';
import { sleep } from '../../runtime/sleep.ts';
import { FINAL } from './final-codes.ts';
import { type Endpoint, GrpcChannel } from './grpc-channel.ts';
import { watchAgents } from './methods.ts';
import { unlessSilent } from './unless-silent.ts';
import { ViewMirror } from './view-mirror.ts';

/** `broken` says why, in words of an error. */
export type Connection = { state: 'opening' | 'live' } | { state: 'broken'; reason: string };

export interface LiveViewOptions {
  endpoint: Endpoint;
  localOnly: boolean;
  hostsOnly: boolean;
  clock: Clock;
}

/** A stream without a word for this long is given up; beats come every 2 s. */
const STALL_MS = 15_000;
const BACKOFF = { firstMs: 200, capMs: 2_000 };

export class LiveView {
  readonly mirror = new ViewMirror();
  connection: Connection = { state: 'opening' };
  readonly #options: LiveViewOptions;
  readonly #listeners = new Listeners();

  constructor(options: LiveViewOptions) {
    this.#options = options;
  }

  /** After each bookmark and proof of life, and when the connection's state changes. */
  onChange(listener: () => void): Disposable {
    return this.#listeners.add(listener);
  }

  /** Rejects when the first opening fails, or for good; resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    let attempt = 0;
    while (!signal.aborted) {
      try {
        await this.#follow(signal, () => {
          attempt = 0;
        });
        this.#moveTo({ state: 'broken', reason: `the ${this.#options.endpoint.what} ended the stream` });
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof FleetError) || FINAL.has(error.code) || !this.mirror.isWhole) throw error;
        this.#moveTo({ state: 'broken', reason: error.message });
      }
      await sleep(backoffDelayMs(attempt, BACKOFF), signal);
      attempt += 1;
    }
  }

  async #follow(signal: AbortSignal, live: () => void): Promise<void> {
    const { endpoint, localOnly, hostsOnly, clock } = this.#options;
    const request = { follow: true, resumeToken: this.mirror.resumeToken, localOnly, hostsOnly };
    const stall = { who: `the ${endpoint.what}`, stallMs: STALL_MS };
    using channel = new GrpcChannel(endpoint);
    const open = (ending: AbortSignal) => channel.stream(watchAgents, request, { signal: ending });
    for await (const frame of unlessSilent(stall, signal, open)) {
      const isBookmark = this.mirror.apply(frame, clock.monotonicMs());
      if (!isBookmark && !frame.heard) continue;
      live();
      this.#moveTo({ state: 'live' });
    }
  }

  #moveTo(connection: Connection): void {
    this.connection = connection;
    this.#listeners.emit();
  }
}
