/**
 * What the controller lets this user see, copied into the host-agent's own view: opened when somebody asks, kept
 * warm for a while, resumed by token. When the controller cannot be heard, the last rows stay, and say so.
 */
import type { Client, ServiceError } from '@grpc/grpc-js';
import { credentials, status as grpcStatus } from '@grpc/grpc-js';
import { LINK_THRESHOLDS } from '../../src/domain/link.ts';
import { backoffDelayMs } from '../../src/runtime/backoff.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { Listeners } from '../../src/runtime/listeners.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { sleep } from '../../src/runtime/sleep.ts';
import type { FleetView } from '../../src/view/fleet-view.ts';
import { ViewImage } from '../../src/view/view-image.ts';
import { FleetServiceClient } from '../../src/wire/gen/fleet/v1/fleet.ts';
import type { Upstream as UpstreamMessage, WatchAgentsResponse } from '../../src/wire/gen/fleet/v1/view.ts';
import { oneATurn } from './one-a-turn.ts';

type Channel = ReturnType<Client['getChannel']>;

/** The uplink, as far as this room knows it. */
export interface ControllerLine {
  /** false: there is no controller to be had. */
  readonly enrolled: boolean;
  readonly standing: { state: string; address: string; reason: string | null; sinceMono: number };
  readonly channel: Channel | null;
  onChange(listener: () => void): Disposable;
}

export interface UpstreamOptions {
  view: FleetView;
  line: ControllerLine;
  clock: Clock;
  log: Logger;
  /** Between views in which something cannot be applied, on top of the common wait; 1 s, doubling, up to 30 s. */
  backoff?: Parameters<typeof backoffDelayMs>[1];
}

/** After the last reader has gone the copy is kept current for this long. */
const WARM_MS = 600_000;
const RETRY_MS = 500;
const SILENT_MS = 6_000;
const BACKOFF = { firstMs: 1_000, capMs: 30_000 };
/** An administrator must lift what keeps this host from asking. */
const REFUSED_MS = 5_000;
/** A view that was followed for this long is no repetition of the one before. */
const SETTLED_MS = 60_000;

export class Upstream {
  readonly #options: UpstreamOptions;
  readonly #image: ViewImage;
  readonly #progress = new Listeners();
  #readers = 0;
  #lastReadMono = Number.NEGATIVE_INFINITY;
  #synced = false;
  /** Its last word, or the moment from which one was asked for again. */
  #silentSinceMono = Number.NEGATIVE_INFINITY;
  /** Since when the controller was asked, or fell silent, without a whole view coming. */
  #unansweredSinceMono = Number.NEGATIVE_INFINITY;
  /** Why the controller's view ended, until it is whole again. */
  #failure: string | null = null;
  /** The controller takes this host's word and tells it nothing. */
  #isRefused = false;
  #wanted = new AbortController();

  constructor(options: UpstreamOptions) {
    this.#options = options;
    this.#image = new ViewImage(options);
  }

  /** Declares a reader; resolves when the copy is current, or at once when it cannot become so, or after `deadlineMs`. */
  async open(deadlineMs: number, signal: AbortSignal): Promise<Disposable> {
    if (!this.#isWanted()) {
      this.#unansweredSinceMono = this.#options.clock.monotonicMs();
      this.#silentSinceMono = this.#unansweredSinceMono;
    }
    this.#readers++;
    this.#lastReadMono = this.#options.clock.monotonicMs();
    this.#wanted.abort();
    const reader = {
      [Symbol.dispose]: () => {
        this.#readers--;
        this.#lastReadMono = this.#options.clock.monotonicMs();
      },
    };
    const over = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
    const settled = (): boolean =>
      this.#synced ||
      !this.#options.line.enrolled ||
      this.#isRefused ||
      this.#options.line.standing.state === 'unreachable' ||
      this.#options.line.standing.state === 'refused';
    while (!settled() && !over.aborted) {
      await new Promise<void>((resolve) => {
        using stack = new DisposableStack();
        const moved = stack.move();
        const done = () => {
          moved.dispose();
          resolve();
        };
        moved.use(this.#progress.add(done));
        moved.use(this.#options.line.onChange(done));
        over.addEventListener('abort', done, { once: true });
        moved.defer(() => over.removeEventListener('abort', done));
      });
    }
    if (!this.#synced) this.#markUnreachable();
    return reader;
  }

  /** How this host-agent stands with its controller, for whoever asks. */
  describe(): UpstreamMessage {
    const { line, clock } = this.#options;
    if (!line.enrolled) return { state: 'none', address: '', ageMs: 0, peers: [] };
    const { state, address, reason, sinceMono } = line.standing;
    const ageMs = Math.max(0, clock.monotonicMs() - sinceMono);
    const peers = this.#image.upstream?.peers ?? [];
    if (state === 'connected' && this.#isWanted() && !this.#synced) {
      // The line is up, but what it was asked for has not come: a list made now is not the whole.
      const waitedMs = Math.max(0, clock.monotonicMs() - Math.max(sinceMono, this.#unansweredSinceMono));
      const standing = this.#isRefused ? 'refused' : 'unreachable';
      return { state: standing, address, reason: this.#failure ?? 'no answer yet', ageMs: waitedMs, peers };
    }
    if (state === 'connected') {
      return { state: 'connected', address, reason: this.#image.upstream?.reason, ageMs, peers };
    }
    return { state: state === 'refused' ? 'refused' : 'unreachable', address, reason: reason ?? state, ageMs, peers };
  }

  /** Follows while anybody reads, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    // What could not be applied comes again with the next view, and a whole view costs both sides.
    for (let misreads = 0; !signal.aborted; ) {
      if (!this.#isWanted()) {
        this.#wanted = new AbortController();
        await sleep(WARM_MS, AbortSignal.any([signal, this.#wanted.signal]));
        continue;
      }
      const channel = this.#options.line.channel;
      const beganMono = this.#options.clock.monotonicMs();
      const end = channel === null ? 'over' : await this.#follow(channel, signal);
      const isSettled = this.#synced && this.#options.clock.monotonicMs() - beganMono >= SETTLED_MS;
      if (end === 'over' || isSettled) misreads = 0;
      if (this.#synced) this.#unansweredSinceMono = this.#options.clock.monotonicMs();
      this.#synced = false;
      this.#progress.emit();
      if (signal.aborted) return;
      this.#markUnreachable();
      const misreadMs = end === 'misread' ? backoffDelayMs(misreads++, this.#options.backoff ?? BACKOFF) : 0;
      await this.#lineChange(RETRY_MS + misreadMs + (this.#isRefused ? REFUSED_MS : 0), signal);
    }
  }

  /** This host-agent belongs to another cell or tenant now, or may ask nothing: what it held is not for its eyes. */
  forget(): void {
    this.#image.clear();
  }

  #isWanted(): boolean {
    return this.#readers > 0 || this.#options.clock.monotonicMs() - this.#lastReadMono < WARM_MS;
  }

  /** Until the line stands otherwise, at most so long. */
  async #lineChange(atMostMs: number, signal: AbortSignal): Promise<void> {
    const changed = new AbortController();
    using _subscription = this.#options.line.onChange(() => changed.abort());
    await sleep(atMostMs, AbortSignal.any([signal, changed.signal]));
  }

  async #follow(channel: Channel, signal: AbortSignal): Promise<'over' | 'misread'> {
    const { clock, log } = this.#options;
    const client = new FleetServiceClient('', credentials.createInsecure(), { channelOverride: channel });
    const call = client.watchAgents(
      { follow: true, resumeToken: this.#image.resumeToken, localOnly: false, hostsOnly: false },
      { interceptors: [oneATurn] },
    );
    const ended = new AbortController();
    let heardMono = clock.monotonicMs();
    let isOver = false;
    let end: 'over' | 'misread' = 'over';
    call.on('data', (frame: WatchAgentsResponse) => {
      // Frames of a call that was given up must not make its rows current again.
      if (isOver) return;
      heardMono = clock.monotonicMs();
      this.#silentSinceMono = heardMono;
      try {
        if (!this.#image.apply(frame)) return;
        this.#failure = null;
        this.#isRefused = false;
        if (!this.#synced) {
          this.#synced = true;
          this.#progress.emit();
        }
      } catch (error) {
        log.warn({ err: error }, 'controller sent a frame that cannot be applied');
        this.#image.resumeToken = '';
        this.#failure = (error as Error).message;
        end = 'misread';
        ended.abort();
      }
    });
    call.on('error', (error: ServiceError) => {
      if (!isOver) {
        this.#isRefused = error.code === grpcStatus.FAILED_PRECONDITION;
        if (this.#isRefused) {
          this.#failure = error.details;
          this.forget();
        } else this.#failure ??= error.details;
        log.debug({ err: error.message }, 'view of the controller ended');
      }
      ended.abort();
    });
    call.on('end', () => ended.abort());
    const over = AbortSignal.any([signal, ended.signal]);
    while (!over.aborted && this.#isWanted() && clock.monotonicMs() - heardMono < SILENT_MS) await sleep(500, over);
    isOver = true;
    if (!over.aborted && this.#isWanted()) this.#failure ??= 'the controller says nothing';
    call.cancel();
    return end;
  }

  #markUnreachable(): void {
    const lost = this.#options.clock.monotonicMs() - this.#silentSinceMono >= LINK_THRESHOLDS.lostMs;
    this.#image.unreachable(lost ? 'lost' : 'resuming', 'controller_unreachable');
  }
}
